"""ELMo's network: padding, cut layers, and what holds for every backbone. `test_elmo_files` compares its numbers with AllenNLP."""

import pytest
import torch
from exported_graphs import one_graph_gives_the_same
from torch import Tensor

from thaw.backbones.architectures import build, build_seeded, classifier_input
from thaw.backbones.backbone import Backbone, cut
from thaw.backbones.blocks import blocks_of, spread_layers
from thaw.backbones.encoders.elmo import Elmo, ElmoShape, shape_in
from thaw.backbones.engines.torch_engine import build_torch_engine
from thaw.backbones.splitting import split_at
from thaw.backbones.weights import Weights
from thaw.foundation.errors import BadParameters
from thaw.kinds.batches import Batch, stacked
from thaw.kinds.texts.character_preprocessing import CharacterPreprocessing

NAME = "elmo-262x4-1x4.2x8.3x16-relu-2-2x12x6-clip0.3x0.2"
LAYERS = ("characters", "layers.0", "layers.1", "mix")
PREPROCESSING = CharacterPreprocessing(longest=12)
TEXTS = (
    "a fine film",
    "It isn't a film that anyone would call dull , is it ?",
    "Bad",
    "日本 café 👍🏽 qwertzuiopasdfghjkl",
)


@pytest.fixture(scope="module")
def network() -> Elmo:
    return built(NAME)


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return cut(NAME, Weights(built(NAME).state_dict(), {}), LAYERS, PREPROCESSING)


def built(name: str) -> Elmo:
    network = build_seeded(name, 3, 0).eval().requires_grad_(False)
    assert isinstance(network, Elmo)
    return network


def batch_of(*texts: str) -> Batch:
    return stacked([PREPROCESSING.prepare(text.encode()) for text in texts])


def test_a_name_determines_the_shape() -> None:
    original = "elmo-262x16-1x32.2x32.3x64.4x128.5x256.6x512.7x1024-relu-2-2x4096x512-clip3x3"
    for name in (NAME, original, NAME.replace("relu", "tanh").removesuffix("-clip0.3x0.2")):
        shape = shape_in(name)
        assert shape is not None and shape.architecture == name
    assert shape_in(NAME) == ElmoShape(262, 4, ((1, 4), (2, 8), (3, 16)), "relu", 2, 2, 12, 6, (0.3, 0.2))
    for name in ("elmo", NAME.replace("2x12x6", "0x12x6"), NAME.replace("relu", "gelu"), NAME.replace("1x4.", "0x4.")):
        assert shape_in(name) is None
        with pytest.raises(BadParameters):
            build(name, 2)


def test_neither_the_order_nor_the_batch_nor_padding_matters(backbone: Backbone) -> None:
    together = backbone.features(batch_of(*TEXTS))
    turned = backbone.features(batch_of(*reversed(TEXTS)))
    for row, text in enumerate(TEXTS):
        alone = backbone.features(batch_of(text))
        for layer in LAYERS:
            assert torch.allclose(alone[layer][0], together[layer][row], atol=1e-6), (layer, text)
            assert torch.allclose(turned[layer][len(TEXTS) - 1 - row], together[layer][row], atol=1e-6)


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_the_pooling_counts_words_alone(pooling: str, backbone: Backbone) -> None:
    pooled = cut(NAME, Weights(backbone.model.state_dict(), {}), LAYERS, PREPROCESSING, pooling)  # type: ignore[arg-type]
    found = pooled.features(batch_of(*TEXTS))
    for row, text in enumerate(TEXTS):
        for layer, places in pooled.extractor(batch_of(text)).items():
            wanted = places[0].mean(0) if pooling == "average" else places[0].amax(0)
            assert torch.allclose(found[layer][row], wanted, atol=1e-6)


def test_words_are_contextual_above_their_characters(backbone: Backbone) -> None:
    first, second = (backbone.extractor(batch_of(text)) for text in ("the bank of a river", "my bank is closed now"))
    assert torch.allclose(first["characters"][0, 1], second["characters"][0, 1], atol=1e-6)
    assert not torch.allclose(first["layers.0"][0, 1, :6], second["layers.0"][0, 1, :6], atol=1e-4), "before it"
    assert not torch.allclose(first["layers.0"][0, 1, 6:], second["layers.0"][0, 1, 6:], atol=1e-4), "behind it"
    begun = backbone.extractor(batch_of("the bank is closed now"))["layers.1"]
    assert torch.allclose(begun[0, 1, :6], first["layers.1"][0, 1, :6], atol=1e-6), "what follows is not seen"


def test_the_mix_is_the_mean_of_all_layers(backbone: Backbone) -> None:
    found = backbone.extractor(batch_of(*TEXTS))
    characters = found["characters"].repeat(1, 1, 2)
    assert torch.allclose(found["mix"], (characters + found["layers.0"] + found["layers.1"]) / 3, atol=1e-6)
    assert found["mix"].shape[2] == 12 and found["characters"].shape[2] == 6


def test_a_hidden_word_is_passed_over(backbone: Backbone) -> None:
    whole, without = batch_of("one two three four"), batch_of("one three four")
    assert not isinstance(whole, Tensor)
    hidden = {**whole, "mask": torch.tensor([[True, False, True, True]])}
    for layer, rows in backbone.features(hidden).items():
        assert torch.allclose(rows, backbone.features(without)[layer], atol=1e-6), layer


def test_the_network_can_be_split_and_names_its_cut_layers(network: Elmo) -> None:
    blocks = blocks_of(network)
    assert [block.output for block in blocks] == ["characters", "recurrent.0", "mix"]
    assert {name for block in blocks for name in block.tensors} == {
        name for name in network.state_dict() if not name.startswith("fc.")
    }
    assert spread_layers(network) == LAYERS and spread_layers(network, 2) == ("layers.0", "mix")
    assert classifier_input(network) == "mix"
    (_, whole) = split_at(network, blocks, len(blocks) + 1, output="mix")
    for thawed in range(1, len(blocks)):
        lower, upper = split_at(network, blocks, thawed, output="mix")
        assert lower is not None
        assert torch.equal(upper(lower(batch_of(*TEXTS))), whole(batch_of(*TEXTS)))


def test_every_tensor_can_be_trained() -> None:
    network = built(NAME.removesuffix("-clip0.3x0.2")).requires_grad_(True)
    network(batch_of(*TEXTS)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all() and parameter.grad.any(), name


def test_the_engine_takes_more_texts_than_fit_in_a_pass(backbone: Backbone) -> None:
    texts = batch_of(*(f"text {number} {'of words ' * (number % 7)}" for number in range(150)))
    engine = build_torch_engine(backbone, "float32", torch.device("cpu"))
    found, wanted = engine.features(texts), backbone.features(texts)
    assert all(torch.allclose(found[layer], wanted[layer], atol=1e-5) for layer in LAYERS)


class Answer(torch.nn.Module):
    """The pooled output of a cut layer inside another module, as exports have it."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone, self.network = backbone, backbone.extractor

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        (output,) = self.network(batch).values()
        return self.backbone.pool(self.backbone.layers[-1], output, batch["mask"])


@pytest.mark.parametrize("layer", ["characters", "layers.1", "mix"])
def test_one_exported_graph_takes_texts_of_any_length(layer: str, backbone: Backbone) -> None:
    answer = Answer(backbone.only((layer,)))
    assert torch.allclose(answer(batch_of(*TEXTS)), backbone.features(batch_of(*TEXTS))[layer], atol=1e-6)
    batches = [batch_of(*texts) for texts in (TEXTS, TEXTS[:1], ("word " * 300, "word"))]
    one_graph_gives_the_same(answer, batch_of("one two three", "one two three"), batches)
