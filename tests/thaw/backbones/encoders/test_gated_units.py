"""The two cells beside a plain transcription of their equations in NumPy, and beside PyTorch's own."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from thaw.backbones.encoders.gated_units import BothWays, ResetAfter, ResetBefore

DIM, SIZE = 5, 3
LENGTHS = (4, 40, 1, 0, 17)
CELLS = (ResetAfter, ResetBefore)
Array = NDArray[Any]


def sigmoid(values: Array) -> Array:
    return 1 / (1 + np.exp(-values))


def reset_before(weights: dict[str, Array], vectors: Array) -> Array:
    """Cho et al. 2014, equations 5 to 8, for one text [T, D]; z is the share that is kept."""
    gates, candidate = weights["gates.weight"], weights["candidate.weight"]
    wr, wz, w = gates[:SIZE, :DIM], gates[SIZE:, :DIM], candidate[:, :DIM]
    ur, uz, u = gates[:SIZE, DIM:], gates[SIZE:, DIM:], candidate[:, DIM:]
    br, bz = weights["gates.bias"][:SIZE], weights["gates.bias"][SIZE:]
    h = np.zeros(SIZE)
    for x in vectors:
        r, z = sigmoid(wr @ x + ur @ h + br), sigmoid(wz @ x + uz @ h + bz)
        h = z * h + (1 - z) * np.tanh(w @ x + u @ (r * h) + weights["candidate.bias"])
    return h


def reset_after(weights: dict[str, Array], vectors: Array) -> Array:
    """Kiros et al. 2015, equations 1 to 4, with the reset gate where the authors' own program has it; for one text [T, D]."""
    wr, wz, w = np.split(weights["inputs.weight"], 3)
    ur, uz, u = np.split(weights["states.weight"], 3)
    br, bz, b = np.split(weights["inputs.bias"], 3)
    h = np.zeros(SIZE)
    for x in vectors:
        r, z = sigmoid(wr @ x + ur @ h + br), sigmoid(wz @ x + uz @ h + bz)
        h = z * h + (1 - z) * np.tanh(w @ x + b + r * (u @ h))
    return h


PLAINLY: dict[Any, Callable[[dict[str, Array], Array], Array]] = {ResetAfter: reset_after, ResetBefore: reset_before}


def numbers(cell: nn.Module) -> dict[str, Array]:
    return {name: tensor.detach().double().numpy() for name, tensor in cell.state_dict().items()}


def texts() -> tuple[torch.Tensor, torch.Tensor]:
    mask = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]
    return torch.randn(*mask.shape, DIM, generator=torch.Generator().manual_seed(0)), mask


@pytest.mark.parametrize("kind", CELLS)
def test_a_cell_is_its_equations(kind: Any) -> None:
    cell, (vectors, mask) = kind(DIM, SIZE), texts()
    found = cell(vectors, mask).detach().numpy()
    for row, length in enumerate(LENGTHS):
        wanted = PLAINLY[kind](numbers(cell), vectors[row, :length].double().numpy())
        assert found[row] == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("kind", CELLS)
def test_both_ways_read_each_text_from_its_own_end(kind: Any) -> None:
    both, (vectors, mask) = BothWays(kind, DIM, SIZE), texts()
    found = both(vectors, mask).detach().numpy()
    for row, length in enumerate(LENGTHS):
        back = PLAINLY[kind](numbers(both.back), vectors[row, :length].flip(0).double().numpy())
        assert found[row, SIZE:] == pytest.approx(back, abs=1e-5)


def test_the_reset_behind_the_product_is_torchs() -> None:
    cell, (vectors, mask) = ResetAfter(DIM, SIZE), texts()
    reference = nn.GRU(DIM, SIZE, batch_first=True)
    own = cell.state_dict()
    reference.load_state_dict(
        {
            "weight_ih_l0": own["inputs.weight"],
            "weight_hh_l0": own["states.weight"],
            "bias_ih_l0": own["inputs.bias"],
            "bias_hh_l0": torch.zeros(3 * SIZE),
        }
    )
    longest = LENGTHS.index(max(LENGTHS))
    assert torch.allclose(reference(vectors[longest : longest + 1])[1][0, 0], cell(vectors, mask)[longest], atol=1e-6)
    assert not np.allclose(reset_after(numbers(cell), vectors[0].numpy()), _before_with(cell, vectors[0].numpy())), (
        "the place of the gate matters"
    )


def _before_with(cell: ResetAfter, vectors: Array) -> Array:
    """The other equations with the same weights."""
    inputs, states, bias = (numbers(cell)[name] for name in ("inputs.weight", "states.weight", "inputs.bias"))
    both = np.concatenate([inputs, states], 1)
    weights = {"gates.weight": both[: 2 * SIZE], "candidate.weight": both[2 * SIZE :]}
    return reset_before({**weights, "gates.bias": bias[: 2 * SIZE], "candidate.bias": bias[2 * SIZE :]}, vectors)


@pytest.mark.parametrize("kind", CELLS)
def test_what_stands_at_padding_and_hidden_words_does_not_matter(kind: Any) -> None:
    both, (vectors, mask) = BothWays(kind, DIM, SIZE), texts()
    mask[0, 1] = False
    other = torch.where(mask[:, :, None], vectors, 1e3)
    assert torch.equal(both(vectors, mask), both(other, mask))
    shorter = vectors[:1, [0, 2, 3]]
    assert torch.allclose(both(shorter, torch.ones(1, 3, dtype=torch.bool))[0], both(vectors, mask)[0], atol=1e-6)


@pytest.mark.parametrize("kind", CELLS)
def test_gradients_reach_every_weight(kind: Any) -> None:
    both, (vectors, mask) = BothWays(kind, DIM, SIZE), texts()
    vectors.requires_grad_()
    both(vectors, mask).square().sum().backward()
    assert all(each.grad is not None and each.grad.isfinite().all() and each.grad.any() for each in both.parameters())
    assert vectors.grad is not None and not vectors.grad[~mask].any() and vectors.grad[mask].any(1).all()
