"""What holds for every network of sentences with a vocabulary: Skip-Thought, Quick-Thought and NNLM."""

import re

import pytest
import torch
import torch.nn.functional as F
from exported_graphs import one_graph_gives_the_same
from torch import Tensor, nn

from thaw.backbones.architectures import build, build_seeded, classifier_input, outline_of
from thaw.backbones.backbone import cut, read_written_backbone, write_backbone
from thaw.backbones.blocks import blocks_of
from thaw.backbones.encoders.nnlm import Bucket
from thaw.backbones.splitting import split_at
from thaw.backbones.weights import Weights
from thaw.foundation.errors import BadParameters
from thaw.kinds.batches import Batch, stacked
from thaw.kinds.texts.padded import prepared
from thaw.kinds.texts.treebank_preprocessing import TreebankPreprocessing

NAMES = (
    "skip_thought-20x6-uni5-bi4",
    "skip_thought-20x6-uni5",
    "skip_thought-20x6-bi4",
    "quick_thought-20x6-bi4",
    "quick_thought-20x6-uni4-shared",
    "quick_thought-20x6-bags",
    "nnlm-20x6-7",
    "nnlm-20x6-0",
)
LENGTHS = (3, 20, 1, 17)


def network(name: str) -> nn.Module:
    return build_seeded(name, 3, 0).eval()


def example(length: int) -> Batch:
    """Words of a text; some are unknown."""
    return prepared(torch.randint(-5, 25, (length,), generator=torch.Generator().manual_seed(length)))


def given(*lengths: int) -> dict[str, Tensor]:
    batch = stacked([example(length) for length in lengths])
    assert not isinstance(batch, Tensor)
    return dict(batch)


@pytest.mark.parametrize("name", NAMES)
def test_neither_the_batch_nor_its_order_matters(name: str) -> None:
    built = network(name)
    together = built(given(*LENGTHS))
    assert together.isfinite().all() and torch.allclose(built(given(*LENGTHS[::-1])), together.flip(0), atol=1e-6)
    for row, length in enumerate(LENGTHS):
        assert torch.allclose(built(given(length))[0], together[row], atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_reach_every_parameter(name: str) -> None:
    built = network(name)
    built(given(*LENGTHS)).square().sum().backward()
    assert all(each.grad is not None and each.grad.isfinite().all() and each.grad.any() for each in built.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_unknown_words_share_a_vector_and_are_told(name: str) -> None:
    built = network(name)
    batch = given(*LENGTHS)
    unknown = ((batch["tokens"] < 0) | (batch["tokens"] >= 20))[batch["mask"]].float().mean()
    assert built.unknown_share(batch) == pytest.approx(float(unknown)) and 0 < unknown < 1  # type: ignore[operator]
    one, other = ({**batch, "tokens": batch["tokens"].where(batch["tokens"] >= 0, value)} for value in (-1, -8))
    assert torch.allclose(built(one), built(other)), "-1 and -8 are unknown, and of one bucket of seven"


@pytest.mark.parametrize("name", ["skip_thought-20x6-uni5", "quick_thought-20x6-bi4", "nnlm-20x6-7"])
def test_one_exported_graph_takes_short_and_long_texts(name: str) -> None:
    built = network(name).requires_grad_(False)
    one_graph_gives_the_same(built, given(5, 5), [given(*lengths) for lengths in ((3, 5), LENGTHS, (1,))])


@pytest.mark.parametrize("name", NAMES)
def test_one_block_holds_the_whole_network(name: str) -> None:
    built = network(name)
    (block,) = blocks_of(built)
    assert block.output == classifier_input(built) == ("pooled" if name.startswith("nnlm") else "joined")
    assert {*block.tensors} == {each for each in built.state_dict() if not each.startswith("fc.")}
    lower, upper = split_at(built, [block], 1, output=block.output)
    assert lower is None
    assert torch.allclose(built.fc(upper(given(*LENGTHS))), built(given(*LENGTHS)), atol=1e-6)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("skip_thought-20x6-uni5-bi4", {"uni": 5, "bi": 8, "joined": 13}),
        ("quick_thought-20x6-uni4-shared", {"f": 4, "g": 4, "joined": 8}),
        ("quick_thought-20x6-bags", {"f": 6, "g": 6, "joined": 12}),
        ("nnlm-20x6-7", {"maximum": 6, "mean": 6, "pooled": 6}),
    ],
)
def test_cut_layers_are_the_same_after_they_are_written_and_read(
    name: str, layers: dict[str, int], tmp_path: object
) -> None:
    built = network(name)
    backbone = cut(name, Weights(built.state_dict(), {}), tuple(layers), TreebankPreprocessing(lowercase=True))
    features = backbone.features(given(*LENGTHS))
    assert {layer: tensor.shape[1] for layer, tensor in features.items()} == layers
    write_backbone(backbone, tmp_path)  # type: ignore[arg-type]
    again = read_written_backbone(tmp_path).features(given(*LENGTHS))  # type: ignore[arg-type]
    assert all(torch.equal(again[layer], features[layer]) for layer in layers)
    if "joined" in layers:
        parts = [F.normalize(features[layer]) for layer in list(layers)[:2]]
        assert torch.allclose(torch.cat(parts, 1), features["joined"], atol=1e-6)
    random = backbone.randomised(1).features(given(*LENGTHS))
    assert not any(torch.allclose(random[layer], features[layer]) for layer in layers)


def test_the_published_shapes() -> None:
    skip = outline_of("skip_thought-930913x620-uni2400-bi1200").tensors  # Kiros et al. 2015, sections 2 and 3
    assert tuple(skip["uni_vectors"].shape) == (930914, 620) and tuple(skip["uni.states.weight"].shape) == (7200, 2400)
    assert tuple(skip["bi.back.inputs.weight"].shape) == (3600, 620) and skip["fc.weight"].shape[1] == 4800
    quick = outline_of("quick_thought-50000x620-bi600").tensors  # the authors' BS400-W620-S1200-case-bidir
    assert tuple(quick["tables.1"].shape) == (50001, 620) and tuple(quick["f.back.gates.weight"].shape) == (1200, 1220)
    assert tuple(quick["g.onward.candidate.weight"].shape) == (600, 1220) and quick["fc.weight"].shape[1] == 2400


@pytest.mark.parametrize(
    "name",
    [
        "skip_thought-20x6",
        "skip_thought-20x6-",
        "skip_thought-0x6-uni5",
        "quick_thought-20x6-bags4",
        "quick_thought-20x6-uni",
        "nnlm-20x6",
        "nnlm-0x6-3",
    ],
)
def test_names_that_state_no_network_are_refused(name: str) -> None:
    with pytest.raises(BadParameters, match=re.escape(name)):
        build(name, 2)


@pytest.mark.parametrize("buckets", [1, 7, 24000])
def test_buckets_are_remainders_without_sign(buckets: int) -> None:
    numbers = [0, 1, -1, 2**63 - 1, -(2**63), -123456789, 987654321]
    found = Bucket(buckets)(torch.tensor([numbers]))[0].tolist()
    assert found == [number % 2**64 % buckets for number in numbers]


def test_the_sum_is_divided_by_the_root_of_the_number() -> None:
    built = network("nnlm-20x6-7")
    backbone = cut(
        "nnlm-20x6-7", Weights(built.state_dict(), {}), ("pooled", "mean"), TreebankPreprocessing(lowercase=True)
    )
    batch = given(*LENGTHS)
    features = backbone.features(batch)
    for row, length in enumerate(LENGTHS):
        known = [
            token if 0 <= token < 20 else 20 + token % 2**64 % 7 for token in batch["tokens"][row, :length].tolist()
        ]
        vectors = built.vectors[known].detach().double()  # type: ignore[index]
        assert torch.allclose(features["pooled"][row].double(), vectors.sum(0) / length**0.5, atol=1e-6)
        assert torch.allclose(features["mean"][row].double(), vectors.mean(0), atol=1e-6)
