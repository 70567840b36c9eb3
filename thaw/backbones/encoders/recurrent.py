"""Long short-term memory over texts of different lengths, in one direction or both, in a form that every engine and ONNX take.

Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural Computation 1997, with the forget gate of Gers, Schmidhuber and Cummins, 2000.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, fx, nn

AT_ONCE = 64
"""The number of texts in a pass on a CPU core. A step reads all weights, whatever the number of texts.

Measured on one core for the product of a step of InferSent (2 x 2048 x 8192): 8 texts take 21 ms, 64 take 43 ms.
"""
_STEPS = 16
"""The number of steps whose gates are made of the inputs by one product; those of a whole long text would take gigabytes."""


@dataclass(frozen=True)
class LstmShape:
    """Everything that determines the recurrence.

    inputs: dimensions of a place. cell: of the memory, and of the output unless it is projected. projected: of the output after a product (Sak, Senior and
    Beaufays, Interspeech 2014); None: there is none. limits: the memory and the output are clipped to plus or minus these; None: they are not.
    """

    inputs: int
    cell: int
    projected: int | None = None
    limits: tuple[float, float] | None = None


class _Lstm(nn.Module):
    """Recurrences beside each other, one a direction.

    Tensors, for K directions: `into` float [K, D, 4 H], `between` [K, S, 4 H], `bias` [K, 4 H], each with the gates input, forget, candidate and output;
    `project` [K, H, S], if there is one; `hidden` [K, S] and `cell` [K, H], the state before a text.
    """

    def __init__(self, shape: LstmShape, directions: int) -> None:
        super().__init__()
        gates, state = 4 * shape.cell, shape.projected or shape.cell
        self.into = nn.Parameter(_uniform(directions, shape.inputs, gates, of=shape.cell))
        self.between = nn.Parameter(_uniform(directions, state, gates, of=shape.cell))
        # A forget gate that begins open lets gradients pass: Jozefowicz, Zaremba and Sutskever, ICML 2015, section 2.2.
        forget = torch.arange(gates) // shape.cell == 1
        self.bias = nn.Parameter(forget.float().expand(directions, -1).clone())
        self.project = (
            None if shape.projected is None else nn.Parameter(_uniform(directions, shape.cell, state, of=shape.cell))
        )
        self.hidden = nn.Parameter(torch.zeros(directions, state))
        self.cell = nn.Parameter(torch.zeros(directions, shape.cell))
        self._limits = shape.limits

    def _states(self, inputs: Tensor, places: Tensor) -> Tensor:
        """The states of all places, float [K, B, T, S]; inputs: float [K, B, T, D]; places: int64 [K, B, T], the step of each place, T for none."""
        weights = Recurrence(self.into, self.between, self.bias, self.project, self.hidden, self.cell)
        states = recurrence(_taken(inputs, _inverse(places)), weights, self._limits)
        return _taken(states, places.clamp(max=inputs.shape[2] - 1))


class OnwardLstm(_Lstm):
    """A recurrence over the places of a text that are seen, from its beginning; the others are passed over. Its tensors are those of one direction."""

    def __init__(self, shape: LstmShape) -> None:
        super().__init__(shape, 1)

    def forward(self, inputs: Tensor, seen: Tensor) -> Tensor:
        """States float [B, T, S], zero where a place is not seen; inputs: float [B, T, D]; seen: bool [B, T]."""
        return self._states(inputs[None], _ranks(seen)[None])[0].masked_fill(~seen[:, :, None], 0.0)


class BidirectionalLstm(_Lstm):
    """Two recurrences over the places of a text that are seen, one from its beginning and one from its end; the others are passed over."""

    def __init__(self, shape: LstmShape) -> None:
        super().__init__(shape, 2)

    def forward(self, forwards: Tensor, backwards: Tensor, seen: Tensor) -> Tensor:
        """States float [B, T, 2 S], zero where a place is not seen.

        forwards, backwards: float [B, T, D], the inputs of the two directions. seen: bool [B, T].
        """
        places = torch.stack([_ranks(seen), _ranks(seen.flip(1)).flip(1)])
        both = self._states(torch.stack([forwards, backwards]), places)
        return torch.cat([both[0], both[1]], 2).masked_fill(~seen[:, :, None], 0.0)

    def after(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """The state of the output, float [2, S], and of the memory, float [2, H], after one place at the beginning; inputs: float [2, D]."""
        gates = (
            torch.bmm(inputs[:, None], self.into) + self.bias[:, None] + torch.bmm(self.hidden[:, None], self.between)
        )
        hidden, cell = _step(gates, self.cell[:, None], self.project, self._limits)
        return hidden[:, 0], cell[:, 0]


def seen(places: Tensor) -> Tensor:
    """Whether a place holds a word: bool [B, T]; places: float [B, T, D], zero in all dimensions if they hold none."""
    return (places != 0).any(2)


def _uniform(*shape: int, of: int) -> Tensor:
    return torch.empty(*shape).uniform_(-1 / math.sqrt(of), 1 / math.sqrt(of))


def _ranks(seen: Tensor) -> Tensor:
    """The number of each seen place among the seen ones, from 0 on, and T for the others: int64 [B, T]."""
    return torch.where(seen, seen.long().cumsum(1) - 1, seen.shape[1])


def _inverse(places: Tensor) -> Tensor:
    """The place of each step, int64 [K, B, T]; behind the end of a text any place. places: int64 [K, B, T], the step of each place, T for none."""
    numbers = torch.ones_like(places).cumsum(2) - 1
    spare = torch.zeros_like(places[:, :, :1])
    return torch.cat([torch.zeros_like(places), spare], 2).scatter(2, places, numbers)[:, :, :-1]


def _taken(rows: Tensor, numbers: Tensor) -> Tensor:
    """Rows by their numbers: float [K, B, T, D]; numbers: int64 [K, B, T]."""
    return rows.gather(2, numbers[:, :, :, None].expand(-1, -1, -1, rows.shape[3]))


class Recurrence(NamedTuple):
    """The tensors of `_Lstm`, by their names there."""

    into: Tensor
    between: Tensor
    bias: Tensor
    project: Tensor | None
    hidden: Tensor
    cell: Tensor


@fx.wrap
def recurrence(inputs: Tensor, weights: Recurrence, limits: tuple[float, float] | None) -> Tensor:
    """The states of all steps, float [K, B, T, S]; inputs: float [K, B, T, D], of K directions. See `LstmShape` for the limits.

    A graph keeps it as one node, because its number of steps is that of a batch.
    """
    texts = inputs.shape[1]
    state = (weights.hidden[:, None].expand(-1, texts, -1), weights.cell[:, None].expand(-1, texts, -1))
    if torch.compiler.is_exporting():
        return _exported(inputs, weights, state, limits)
    states = []
    for some in inputs.split(_STEPS, 2):
        gates = torch.baddbmm(weights.bias[:, None], some.flatten(1, 2), weights.into).unflatten(1, (texts, -1))
        for each in gates.unbind(2):
            state = _step(torch.baddbmm(each, state[0], weights.between), state[1], weights.project, limits)
            states.append(state[0])
    return torch.stack(states, 2)


def _exported(
    inputs: Tensor, weights: Recurrence, state: tuple[Tensor, Tensor], limits: tuple[float, float] | None
) -> Tensor:
    """The same as one operation with any number of steps, which ONNX calls Scan."""
    from torch._higher_order_ops.scan import scan

    def step(state: list[Tensor], some: Tensor) -> tuple[list[Tensor], Tensor]:
        gates = torch.bmm(some, weights.into) + weights.bias[:, None] + torch.bmm(state[0], weights.between)
        hidden, cell = _step(gates, state[1], weights.project, limits)
        return [hidden, cell.clone()], hidden.clone()

    steps = inputs.permute(2, 0, 1, 3).contiguous()
    states: Tensor = scan(step, [each.contiguous() for each in state], steps, dim=0)[1]
    return states.permute(1, 2, 0, 3)


def _step(
    gates: Tensor, cell: Tensor, project: Tensor | None, limits: tuple[float, float] | None
) -> tuple[Tensor, Tensor]:
    """The next state of the network and of its cell; gates: float [K, B, 4 H]; cell: float [K, B, H]."""
    entering, forgetting, candidate, leaving = gates.chunk(4, 2)
    cell = entering.sigmoid() * candidate.tanh() + forgetting.sigmoid() * cell
    if limits is not None:
        cell = cell.clamp(-limits[0], limits[0])
    hidden = leaving.sigmoid() * cell.tanh()
    if project is not None:
        hidden = torch.bmm(hidden, project)
    if limits is not None:
        hidden = hidden.clamp(-limits[1], limits[1])
    return hidden, cell
