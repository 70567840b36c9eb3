"""The recurrence of encoders beside its equations in NumPy and beside torch's own."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lstm_equations import states
from torch import Tensor, nn

from thaw.backbones.encoders.recurrent import BidirectionalLstm, LstmShape, seen

PLAIN = LstmShape(inputs=4, cell=6)
CLIPPED = LstmShape(inputs=4, cell=6, projected=3, limits=(0.2, 0.1))


def built(shape: LstmShape) -> BidirectionalLstm:
    torch.manual_seed(0)
    lstm = BidirectionalLstm(shape)
    nn.init.normal_(lstm.hidden, std=0.05)
    nn.init.normal_(lstm.cell, std=0.1)
    return lstm.requires_grad_(False)


def places(texts: int, length: int) -> Tensor:
    return torch.randn(texts, length, 4, generator=torch.Generator().manual_seed(length))


def by_equations(lstm: BidirectionalLstm, shape: LstmShape, inputs: Tensor) -> np.ndarray:
    """The states of one text without padding, [T, 2 S]."""
    found = []
    for direction in (0, 1):
        into, between, bias, hidden, cell = (
            each[direction].double().numpy() for each in (lstm.into, lstm.between, lstm.bias, lstm.hidden, lstm.cell)
        )
        rows = inputs.double().numpy()[:: -1 if direction else 1]
        project = None if lstm.project is None else lstm.project[direction].double().numpy().T
        limits = shape.limits or (np.inf, np.inf)
        out = states(rows, into.T, between.T, bias, project=project, limits=limits, begin=(hidden, cell))
        found.append(out[:: -1 if direction else 1])
    return np.concatenate(found, 1)


@pytest.mark.parametrize("shape", [PLAIN, CLIPPED])
@pytest.mark.parametrize("length", [1, 5, 16, 40])
def test_it_follows_the_equations(shape: LstmShape, length: int) -> None:
    lstm, inputs = built(shape), places(1, length)
    found = lstm(inputs, inputs, torch.ones(1, length, dtype=torch.bool))[0]
    assert found.numpy() == pytest.approx(by_equations(lstm, shape, inputs[0]), abs=1e-6)
    if shape.limits:
        assert found.abs().max() == pytest.approx(shape.limits[1]), (
            "the limit is reached, so the test tells whether it is kept"
        )


def test_it_is_torchs_own_with_packed_sequences() -> None:
    torch.manual_seed(1)
    torchs, lstm = nn.LSTM(4, 6, batch_first=True, bidirectional=True), BidirectionalLstm(PLAIN)
    ends = ("", "_reverse")
    with torch.no_grad():
        for row, end in enumerate(ends):
            lstm.into[row] = getattr(torchs, f"weight_ih_l0{end}").T
            lstm.between[row] = getattr(torchs, f"weight_hh_l0{end}").T
            lstm.bias[row] = getattr(torchs, f"bias_ih_l0{end}") + getattr(torchs, f"bias_hh_l0{end}")
        lengths = torch.tensor([7, 3, 20, 1])
        inputs, mask = places(4, 20), torch.arange(20) < lengths[:, None]
        packed = nn.utils.rnn.pack_padded_sequence(inputs, lengths, batch_first=True, enforce_sorted=False)
        wanted = nn.utils.rnn.pad_packed_sequence(torchs(packed)[0], batch_first=True)[0]
        assert torch.allclose(lstm(inputs, inputs, mask), wanted, atol=1e-6)


@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=20).filter(any), min_size=1, max_size=5))
def test_places_that_are_not_seen_are_passed_over(rows: list[list[bool]]) -> None:
    lstm, longest = built(CLIPPED), max(map(len, rows))
    mask = torch.tensor([[*row, *[False] * (longest - len(row))] for row in rows])
    inputs = places(len(rows), longest)
    found = lstm(inputs, inputs, mask)
    assert not found[~mask].any()
    for row, visible in enumerate(mask):
        alone = inputs[row, visible][None]
        wanted = lstm(alone, alone, torch.ones(alone.shape[:2], dtype=torch.bool))[0]
        assert torch.allclose(found[row, visible], wanted, atol=1e-6)


def test_the_directions_have_their_own_inputs() -> None:
    lstm, one, other = built(PLAIN), places(2, 5), places(2, 6)[:, :5]
    mask = torch.ones(2, 5, dtype=torch.bool)
    both = lstm(one, other, mask)
    assert torch.equal(both[:, :, :6], lstm(one, one, mask)[:, :, :6])
    assert torch.equal(both[:, :, 6:], lstm(other, other, mask)[:, :, 6:])


def test_the_state_after_a_place_continues_a_text() -> None:
    lstm, inputs = built(CLIPPED), places(1, 6)
    mask = torch.ones(1, 6, dtype=torch.bool)
    whole = lstm(inputs, inputs, mask)
    hidden, cell = lstm.after(torch.stack([inputs[0, 0], inputs[0, 5]]))
    lstm.hidden.copy_(hidden)
    lstm.cell.copy_(cell)
    later, earlier = lstm(inputs[:, 1:], inputs[:, 1:], mask[:, 1:]), lstm(inputs[:, :5], inputs[:, :5], mask[:, 1:])
    assert torch.allclose(later[:, :, :3], whole[:, 1:, :3], atol=1e-6)
    assert torch.allclose(earlier[:, :, 3:], whole[:, :5, 3:], atol=1e-6)


def test_it_begins_so_that_it_can_be_trained() -> None:
    torch.manual_seed(0)
    lstm, inputs = BidirectionalLstm(CLIPPED), places(3, 30).requires_grad_()
    assert lstm.bias[:, 6:12].eq(1).all() and lstm.bias.sum() == 12, "the forget gate begins open"
    mask = torch.ones(3, 30, dtype=torch.bool)
    lstm(inputs, inputs, mask)[:, 20].sum().backward()
    assert inputs.grad is not None and inputs.grad[:, 10].any(), "a gradient reaches ten steps back"
    for name, parameter in lstm.named_parameters():
        assert parameter.grad is not None and parameter.grad.any(), name


def test_a_place_of_zeros_is_not_seen() -> None:
    assert seen(torch.tensor([[[0.0, 1.0], [0.0, 0.0]]])).tolist() == [[True, False]]
