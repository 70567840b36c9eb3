"""The network of BERT's family: windows, padding, and what holds for every backbone. `test_encoder_folders` compares its numbers with transformers."""

import pytest
import torch
from exported_graphs import one_graph_gives_the_same
from torch import Tensor
from torch.export import Dim, export

from thaw.backbones.architectures import build, build_seeded, classifier_input
from thaw.backbones.blocks import blocks_of
from thaw.backbones.encoders.bert import Bert, BertShape, shape_in
from thaw.backbones.pooling import pool
from thaw.backbones.splitting import split_at
from thaw.foundation.errors import BadParameters
from thaw.kinds.batches import Batch, stacked
from thaw.kinds.texts.padded import prepared

WINDOW, DIM = 8, 16
NAME = f"bert-40x{DIM}-3x4x24-{WINDOW}-gelu-eps12-mean"
LENGTHS = (5, WINDOW, 3 * WINDOW - 2, 1, WINDOW + 1)


@pytest.fixture(scope="module")
def network() -> Bert:
    return built(NAME)


def built(name: str) -> Bert:
    network = build_seeded(name, 3, 0).eval().requires_grad_(False)
    assert isinstance(network, Bert)
    return network


def example(length: int) -> Batch:
    return prepared(torch.randint(1, 40, (length,), generator=torch.Generator().manual_seed(length)))


def pooled(network: Bert, *examples: Batch) -> Tensor:
    batch = stacked(examples)
    assert not isinstance(batch, Tensor)
    places = network.embeddings(batch["tokens"], batch["mask"])
    for layer in network.layers:
        places = layer(places)
    vectors: Tensor = network.pool(places)
    return vectors


def test_a_name_determines_the_shape() -> None:
    for name in (NAME, "bert-30522x384-6x12x1536-256-tanh-eps5-first-unit"):
        shape = shape_in(name)
        assert shape is not None and shape.architecture == name
    assert shape_in(NAME) == BertShape(40, DIM, 3, 4, 24, WINDOW, "gelu", 12, "mean", unit=False)
    for name in ("resnet18", NAME.replace("3x4x", "3x5x"), NAME.replace("gelu", "relu"), NAME.replace("40x", "0x")):
        assert shape_in(name) is None
        with pytest.raises(BadParameters):
            build(name.replace("resnet18", "bert"), 2)


def test_neither_the_batch_nor_its_padding_matters(network: Bert) -> None:
    examples = [example(length) for length in LENGTHS]
    together = pooled(network, *examples)
    assert together.isfinite().all()
    for row, alone in enumerate(examples):
        assert torch.allclose(pooled(network, alone)[0], together[row], atol=1e-6)
    assert torch.allclose(pooled(network, *reversed(examples)).flip(0), together, atol=1e-6)


@pytest.mark.parametrize("pooling", ["mean", "first"])
def test_a_text_of_three_windows_is_the_mean_of_its_windows(pooling: str) -> None:
    network = built(NAME.replace("mean", pooling))
    long = example(3 * WINDOW - 2)
    assert not isinstance(long, Tensor)
    windows = [prepared(each) for each in long["tokens"].split(WINDOW)]
    alone = torch.stack([pooled(network, each)[0] for each in windows])
    weights = torch.tensor([len(each["tokens"]) for each in windows]) if pooling == "mean" else torch.ones(3)
    wanted = (alone * weights[:, None]).sum(0) / weights.sum()
    assert torch.allclose(pooled(network, long)[0], wanted, atol=1e-6)
    assert not torch.allclose(alone[0], alone[1], atol=1e-2)


def test_a_hidden_piece_is_seen_by_none(network: Bert) -> None:
    one, other = example(6), example(6)
    assert not isinstance(one, Tensor) and not isinstance(other, Tensor)
    mask = torch.tensor([True, True, False, True, True, True])
    tokens = other["tokens"].clone()
    tokens[2] = (tokens[2] + 1) % 40
    found = [pooled(network, {"tokens": each, "mask": mask}) for each in (one["tokens"], tokens)]
    assert torch.equal(*found) and not torch.equal(found[0], pooled(network, one))


def test_a_layer_is_a_block_and_the_network_can_be_split_anywhere(network: Bert) -> None:
    blocks = blocks_of(network)
    assert [block.output for block in blocks][:-1] == ["embeddings", "layers.0", "layers.1"]
    assert {name.partition(".fc")[0] for block in blocks for name in block.tensors} == {
        name for name in network.state_dict() if not name.startswith("fc.")
    }
    examples = [example(length) for length in LENGTHS]
    wanted = pooled(network, *examples)
    for thawed in range(1, len(blocks)):
        lower, upper = split_at(network, blocks, thawed, output=classifier_input(network))
        assert lower is not None
        assert torch.equal(upper(lower(stacked(examples))).view_as(wanted), wanted)


def test_it_can_be_trained_on_texts_of_any_length() -> None:
    network = built(f"{NAME}-unit").requires_grad_(True)
    network(stacked([example(length) for length in LENGTHS])).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in network.parameters())
    assert network.layers[0].attention.queries_keys_values.weight.grad.any()  # type: ignore[union-attr, operator]


def test_one_exported_graph_takes_short_and_long_texts(network: Bert) -> None:
    batches = [stacked([example(each) for each in lengths]) for lengths in ((3, 5), LENGTHS, (3 * WINDOW,))]
    one_graph_gives_the_same(network, stacked([example(5), example(5)]), batches)


def test_the_default_cut_layer_has_the_name_of_the_pages() -> None:
    network = built(f"{NAME}-unit")
    assert classifier_input(network) == "pooled"
    assert [block.output for block in blocks_of(network)][-2:] == ["layers.1", "pooled"]


class CutLayer(torch.nn.Module):
    """The pooled output of the first layer."""

    def __init__(self, network: Bert) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        places = self.network.layers[0](self.network.embeddings(batch["tokens"], batch["mask"]))
        return pool(places, "average", batch["mask"])


def test_a_cut_layer_is_exported_for_texts_of_any_length(network: Bert) -> None:
    batch, length = Dim("batch"), Dim("length", min=2)
    given = dict(stacked([example(5), example(5)]))  # type: ignore[arg-type]
    cut = CutLayer(network)
    with torch.no_grad():
        program = export(cut, (given,), dynamic_shapes=({name: {0: batch, 1: length} for name in given},))
        texts = stacked([example(each) for each in LENGTHS])
        assert torch.allclose(program.module()(texts), cut(texts), atol=1e-6)
