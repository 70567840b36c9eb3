"""Gated recurrent units over texts of different lengths: two cells, which differ in where the reset gate stands.

Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine Translation", EMNLP 2014, section 2.3.

The steps run one after another, each for the whole batch. A place without a word leaves the state as it is, so padding never counts, on either side. Exported
graphs have the steps as one operation (`Scan` in ONNX), so that they take texts of any length.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch._higher_order_ops.scan import scan

Step = Callable[[Tensor, Tensor], Tensor]
"""The next states [B, H], of the states [B, H] and the products of the words' vectors with the weights for them [B, 3 H]."""
AT_ONCE = 64
"""The number of texts in a pass on a CPU core. A step reads all weights, whatever the number of texts.

Measured on one core with texts of 20 words, texts a second of CPU time in passes of 8 and of 64: Skip-Thought (2400 and 2 x 1200) 14 and 64, Quick-Thought
(2 x 2 x 600) 69 and 133.
"""
_STEPS = 16
"""The number of steps whose words are multiplied at once; those of a whole long text would take gigabytes."""


class ResetAfter(nn.Module):
    """The cell whose reset gate multiplies the product with the state, as in Theano's examples, cuDNN and PyTorch; gates stand in the order of `nn.GRU`: reset,
    update, candidate."""

    def __init__(self, dim: int, size: int) -> None:
        super().__init__()
        self.inputs = nn.Linear(dim, 3 * size)
        self.states = nn.Linear(size, 3 * size, bias=False)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """The last state [B, H]; vectors: float [B, T, D]; mask: bool [B, T], whether there is a word."""
        last: Tensor = last_reset_after(vectors, mask, self.inputs.weight, self.inputs.bias, self.states.weight)
        return last


class ResetBefore(nn.Module):
    """The cell whose reset gate multiplies the state before the product, as in the paper and TensorFlow; the gates are reset and update."""

    def __init__(self, dim: int, size: int) -> None:
        super().__init__()
        self.gates = nn.Linear(dim + size, 2 * size)
        self.candidate = nn.Linear(dim + size, size)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """See `ResetAfter`."""
        gates, candidate = self.gates, self.candidate
        last: Tensor = last_reset_before(vectors, mask, (gates.weight, gates.bias), (candidate.weight, candidate.bias))
        return last


class BothWays(nn.Module):
    """Two cells, one of which reads each text from its end: their last states one beside the other, [B, 2 H]."""

    def __init__(self, cell: Callable[[int, int], nn.Module], dim: int, size: int) -> None:
        super().__init__()
        self.onward, self.back = cell(dim, size), cell(dim, size)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """See `ResetAfter`."""
        return torch.cat([self.onward(vectors, mask), self.back(vectors.flip(1), mask.flip(1))], 1)


@fx.wrap
def last_reset_after(vectors: Tensor, mask: Tensor, inputs: Tensor, bias: Tensor, states: Tensor) -> Tensor:
    """The last states of `ResetAfter`; it is one node of a network's graph, because a loop over a length is none."""

    def step(state: Tensor, given: Tensor) -> Tensor:
        reset, update, candidate = given.chunk(3, 1)
        own_reset, own_update, own_candidate = F.linear(state, states).chunk(3, 1)
        kept = torch.sigmoid(update + own_update)
        new = torch.tanh(candidate + torch.sigmoid(reset + own_reset) * own_candidate)
        return kept * state + (1 - kept) * new

    return _last(step, vectors, mask, (inputs, bias))


@fx.wrap
def last_reset_before(
    vectors: Tensor, mask: Tensor, gates: tuple[Tensor, Tensor], candidate: tuple[Tensor, Tensor]
) -> Tensor:
    """The last states of `ResetBefore`, of the weights and the bias of each; see `last_reset_after`."""
    dim, size = vectors.shape[2], len(candidate[0])
    own_gates, own_candidate = gates[0][:, dim:], candidate[0][:, dim:]

    def step(state: Tensor, given: Tensor) -> Tensor:
        reset, kept = torch.sigmoid(given[:, : 2 * size] + F.linear(state, own_gates)).chunk(2, 1)
        new = torch.tanh(given[:, 2 * size :] + F.linear(reset * state, own_candidate))
        return kept * state + (1 - kept) * new

    inputs = torch.cat([gates[0][:, :dim], candidate[0][:, :dim]])
    return _last(step, vectors, mask, (inputs, torch.cat([gates[1], candidate[1]])))


def _last(step: Step, vectors: Tensor, mask: Tensor, inputs: tuple[Tensor, Tensor]) -> Tensor:
    """The last states [B, H]; inputs: the weights [3 H, D] and the bias [3 H] of the words' vectors."""
    weight, bias = inputs
    state = vectors.new_zeros(vectors.shape[0], weight.shape[0] // 3)
    if torch.compiler.is_exporting():
        return _exported(step, vectors, mask, inputs, state)
    for some, there in zip(vectors.split(_STEPS, 1), mask.split(_STEPS, 1), strict=True):
        for given, seen in zip(F.linear(some, weight, bias).unbind(1), there.unbind(1), strict=True):
            state = torch.where(seen[:, None], step(state, given), state)
    return state


def _exported(step: Step, vectors: Tensor, mask: Tensor, inputs: tuple[Tensor, Tensor], state: Tensor) -> Tensor:
    """The same as one operation with any number of steps, which ONNX calls `Scan`."""

    def masked(state: Tensor, given: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        there = given[1][:, None]
        own = step(state, F.linear(given[0], *inputs))
        return torch.where(there, own, state), there.clone()  # `scan` wants an output of each step

    last: Tensor = scan(masked, state, (vectors.transpose(0, 1), mask.transpose(0, 1)), dim=0)[0]
    return last
