"""The loss of a language model over many words: each word is told from noise words that its batch shares.

Source: Bengio and Senécal, "Quick Training of Probabilistic Neural Nets by Importance Sampling", AISTATS 2003; noise words are as frequent as the power 0.75 of
their counts (Mikolov et al., NeurIPS 2013, section 2.2). The more noise words, the closer the loss is to that of a softmax over all words.
"""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

_POWER = 0.75


class SampledSoftmax(nn.Module):
    """The outputs of V words, which begin with zeros: `words` float32 [V, D] and `bias` [V, 1], with sparse gradients."""

    def __init__(self, counts: Sequence[int], dim: int, noise: int) -> None:
        super().__init__()
        self.words = _zeros(len(counts), dim)
        self.bias = _zeros(len(counts), 1)
        powers = np.array(counts, np.float64) ** _POWER
        shares = powers / powers.sum()
        self._ends: NDArray[np.float64] = np.cumsum(shares)
        self._expected = torch.from_numpy(np.log(shares * noise).astype(np.float32))
        self._noise = noise

    def forward(self, states: Tensor, targets: Tensor, chance: np.random.Generator) -> Tensor:
        """The mean loss; states: float32 [N, D], of which each foretells the word of its place in targets, int64 [N]."""
        drawn = np.searchsorted(self._ends, chance.random(self._noise) * self._ends[-1])
        noise = torch.from_numpy(drawn.astype(np.int64))
        own = (states * self.words(targets)).sum(1) + self.bias(targets)[:, 0]
        others = states @ self.words(noise).T + self.bias(noise)[:, 0] - self._expected[noise]
        # A noise word that is the word itself is none.
        others = others.masked_fill(targets[:, None] == noise, -torch.inf)
        return F.cross_entropy(torch.cat([own[:, None], others], 1), torch.zeros_like(targets))


def _zeros(rows: int, dim: int) -> nn.Embedding:
    table: nn.Embedding = nn.Embedding.from_pretrained(torch.zeros(rows, dim), freeze=False, sparse=True)
    return table
