"""The network of the Universal Sentence Encoder: its equations, padding, and what holds for every backbone. `test_use_backbones` has the real one."""

import numpy as np
import pytest
import torch
from exported_graphs import one_graph_gives_the_same
from numpy.typing import NDArray
from torch import Tensor

from thaw.backbones.architectures import build, build_seeded, classifier_input
from thaw.backbones.blocks import blocks_of
from thaw.backbones.encoders.use import EPSILON, Use, UseShape, shape_in
from thaw.backbones.splitting import split_at
from thaw.foundation.errors import BadParameters
from thaw.kinds.batches import Batch, stacked
from thaw.kinds.texts.padded import prepared

NAME = "use-40x12-6-8-runs2x3x5"
LENGTHS = (5, 8, 22, 1, 2)


@pytest.fixture(scope="module")
def network() -> Use:
    return built(NAME)


def built(name: str) -> Use:
    network = build_seeded(name, 3, 0).eval().requires_grad_(False)
    assert isinstance(network, Use)
    for each, parameter in network.named_parameters():  # scales of one and shifts of zero would hide a mistake
        if "norm" in each:
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(len(each))))
    return network


def example(length: int) -> Batch:
    return prepared(torch.randint(1, 40, (length,), generator=torch.Generator().manual_seed(length)))


def pooled(network: Use, *examples: Batch) -> Tensor:
    network.pooled.register_forward_hook(lambda _module, _given, found: kept.append(found))
    kept: list[Tensor] = []
    network(stacked(examples))
    network.pooled._forward_hooks.clear()
    return kept[0]


def plainly(network: Use, tokens: NDArray[np.int64]) -> NDArray[np.float64]:
    """The vector of one text, by the equations, place by place."""
    given = {name: tensor.double().numpy() for name, tensor in network.state_dict().items()}

    def normalised(rows: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        centred = rows - rows.mean(1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(1, keepdims=True) + EPSILON)
        return scaled * given[f"{name}.norm.weight"] + given[f"{name}.norm.bias"]

    def convolved(rows: NDArray[np.float64], name: str, run: int) -> NDArray[np.float64]:
        found = []
        for place in range(len(rows)):
            total = given[f"{name}.bias"].copy()
            for step in range(run):
                if 0 <= (at := place + step - (run - 1) // 2) < len(rows):
                    total += given[f"{name}.weight"][:, :, step] @ rows[at]
            found.append(np.maximum(total, 0) + rows[place])
        return np.array(found)

    pieces = given["embeddings.pieces.weight"][tokens]
    entered = normalised(pieces @ given["entry.map.weight"].T + given["entry.map.bias"], "entry")
    parts = [pieces]
    for number, run in enumerate((2, 3, 5)):
        own = f"convolutions.{number}"
        once = convolved(entered[:, 6 * number : 6 * number + 6], f"{own}.first", run)
        parts.append(convolved(once, f"{own}.second", run))
    places = normalised(np.concatenate(parts, 1), "joined") @ given["sum.map.weight"].T + given["sum.map.bias"]
    vector = places.sum(0) / np.sqrt(len(tokens))
    for layer, activation in ((0, lambda values: np.maximum(values, 0)), (1, np.tanh)):
        inner, outer, around = (given[f"layers.{layer}.{name}.weight"] for name in ("inner", "outer", "around"))
        vector = activation(outer @ np.maximum(inner @ vector, 0) + around @ vector)
    return vector / np.linalg.norm(vector)


@pytest.mark.parametrize("length", LENGTHS)
def test_it_is_what_the_equations_say(network: Use, length: int) -> None:
    text = example(length)
    assert not isinstance(text, Tensor)
    assert np.abs(pooled(network, text)[0].numpy() - plainly(network, text["tokens"].numpy())).max() < 1e-6


def test_a_name_determines_the_shape() -> None:
    shape = shape_in(NAME)
    assert shape == UseShape(40, 12, 6, 8, (2, 3, 5)) and shape.architecture == NAME
    for name in ("resnet18", "use-40x12-6-8-runs", "use-0x12-6-8-runs2", "use-40x12-6-8-runs2x0", f"{NAME}x"):
        assert shape_in(name) is None
    with pytest.raises(BadParameters):
        build("use", 2)


def test_neither_the_batch_nor_its_padding_matters(network: Use) -> None:
    examples = [example(length) for length in LENGTHS]
    together = pooled(network, *examples)
    assert together.isfinite().all()
    for row, alone in enumerate(examples):
        assert torch.allclose(pooled(network, alone)[0], together[row], atol=1e-6)
    assert torch.allclose(pooled(network, *reversed(examples)).flip(0), together, atol=1e-6)


def test_a_text_without_a_piece_is_finite(network: Use) -> None:
    nothing = {"tokens": torch.zeros(1, 4, dtype=torch.int64), "mask": torch.zeros(1, 4, dtype=torch.bool)}
    assert network(nothing).isfinite().all()


def test_a_hidden_piece_is_seen_by_none(network: Use) -> None:
    given = example(6)
    assert not isinstance(given, Tensor)
    mask = torch.tensor([[True, True, False, True, True, True]])
    tokens = given["tokens"].clone()
    tokens[2] = (tokens[2] + 1) % 40
    found = [network({"tokens": each[None], "mask": mask}) for each in (given["tokens"], tokens)]
    assert torch.equal(*found) and not torch.equal(found[0], network(stacked([given])))


def test_the_network_can_be_split_after_every_block(network: Use) -> None:
    blocks = blocks_of(network)
    assert [block.output for block in blocks] == ["embeddings", "joined", "sum", "layers.0", "pooled"]
    assert {name for block in blocks for name in block.tensors} == {
        name for name in network.state_dict() if not name.startswith("fc.")
    }
    assert classifier_input(network) == "pooled"
    examples = [example(length) for length in LENGTHS]
    wanted = pooled(network, *examples)
    for thawed in range(1, len(blocks)):
        lower, upper = split_at(network, blocks, thawed, output="pooled")
        assert lower is not None and torch.equal(upper(lower(stacked(examples))), wanted)


def test_it_can_be_trained_on_texts_of_any_length() -> None:
    network = built(NAME).requires_grad_(True)
    network(stacked([example(length) for length in LENGTHS])).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in network.parameters())
    assert network.convolutions[2].first.weight.grad.any()  # type: ignore[union-attr, operator]


def test_one_exported_graph_takes_short_and_long_texts(network: Use) -> None:
    batches = [stacked([example(each) for each in lengths]) for lengths in ((3, 5), LENGTHS, (300,))]
    one_graph_gives_the_same(network, stacked([example(5), example(5)]), batches)
