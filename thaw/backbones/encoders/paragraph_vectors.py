"""The network of Doc2Vec: the vector of a text is what foretells its words best, found by a fixed number of gradient steps."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thaw.backbones.encoders.word_vectors import Find

FAMILY = "paragraph_vectors"
BAG, WINDOWS = "dbow", "dm"
NOISE = 128
"""The number of noise words."""
STEPS = 30
_SIZE = re.compile(rf"{FAMILY}-(\d+)x(\d+)-(?:({BAG})|{WINDOWS}(\d+))-(\d+)")


def architecture_of(words: int, dim: int, window: int | None, negative: int) -> str:
    """The name of a network, such as `paragraph_vectors-20000x100-dbow-8`, or `paragraph_vectors-20000x100-dm5-8`. window: words on each side of a word that
    foretell it with the text's vector (PV-DM); None: the text's vector alone foretells it (PV-DBOW). negative: the weight of noise."""
    return f"{FAMILY}-{words}x{dim}-{BAG if window is None else f'{WINDOWS}{window}'}-{negative}"


def network_named(architecture: str, num_classes: int) -> nn.Module | None:
    """The network with that name, with random vectors; None: the name is of another family."""
    size = _SIZE.fullmatch(architecture)
    if size is None:
        return None
    window = None if size[3] else int(size[4])
    return ParagraphVectors(int(size[1]), int(size[2]), window, int(size[5]), num_classes)


class ParagraphVectors(nn.Module):
    """Takes `tokens` int64 [B, T], the keys of words, and `mask` bool [B, T].

    The cut layer `inferred`, float32 [B, D], maximises the mean over a text's known words of log s(u h) + negative E[log s(-n h)], with the word's output
    vector u, those of noise words n, and the sigmoid s (Le and Mikolov, "Distributed Representations of Sentences and Documents", ICML 2014; the objective with
    noise is that of Mikolov et al., NeurIPS 2013, equation 4). h is the text's vector (PV-DBOW), or its mean with the input vectors of the words in a window
    (PV-DM). The papers draw noise at random; here the expectation is over `noise`, words at even steps of the noise's distribution, so that the same text
    always has the same vector. The steps are Nesterov's, from zero, each as long as the objective's curvature allows at most. A text without a known word is
    zero.

    Tensors: `keys` int64 [V], sorted; `outputs` float32 [V, D]; `noise` int64 [128], places of words, with repeats; and `inputs` float32 [V, D] in PV-DM.
    """

    vocabulary: ClassVar[tuple[str, ...]] = ("keys", "noise")
    """Buffers that say what the input means; a network with random weights keeps them."""
    keys: Tensor
    noise: Tensor

    def __init__(self, words: int, dim: int, window: int | None, negative: int, num_classes: int) -> None:
        super().__init__()
        self.register_buffer("keys", torch.arange(words))
        self.register_buffer("noise", torch.arange(NOISE) % words)
        self.outputs = nn.Parameter(torch.randn(words, dim) / math.sqrt(dim))
        if window is not None:
            self.inputs = nn.Parameter(torch.randn(words, dim) / math.sqrt(dim))
        self.find = Find(words)
        self.around = nn.Identity() if window is None else Around(window)
        self.infer = Infer(negative)
        self.inferred = nn.Identity()  # it names the default cut layer
        self.fc = nn.Linear(dim, num_classes)
        self._window = window

    def unknown_share(self, batch: Mapping[str, Tensor]) -> float:
        """The share of a batch's words that have no vector."""
        tokens, mask = batch["tokens"], batch["mask"]
        return float((self.keys[self.find(self.keys, tokens)] != tokens)[mask].float().mean())

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Logits float32 [B, C]."""
        tokens, mask = batch["tokens"], batch["mask"]
        places = self.find(self.keys, tokens)
        known = ((self.keys[places] == tokens) & mask).to(self.outputs.dtype)
        outputs = self.outputs[places]
        if self._window is None:
            context, count = torch.zeros_like(outputs), torch.zeros_like(known)
        else:
            context, count = self.around(self.inputs[places], known)
        logits: Tensor = self.fc(self.inferred(self.infer(outputs, known, context, count, self.outputs[self.noise])))
        return logits


class Around(nn.Module):
    """The sum of the vectors of the known words around each word."""

    def __init__(self, window: int) -> None:
        super().__init__()
        self._window, self._size = window, 2 * window + 1

    def forward(self, vectors: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
        """Sums float [B, T, D], and the numbers of words in them float [B, T]; vectors: float [B, T, D]; known: float [B, T], 1 or 0."""
        there = torch.cat([vectors * known[:, :, None], known[:, :, None]], 2)
        summed = F.avg_pool1d(there.transpose(1, 2), self._size, 1, self._window).transpose(1, 2) * self._size - there
        return summed[:, :, :-1], summed[:, :, -1]


class Infer(nn.Module):
    """The text's vector that foretells its words best."""

    def __init__(self, negative: int) -> None:
        super().__init__()
        self._negative = negative

    def forward(self, outputs: Tensor, known: Tensor, context: Tensor, count: Tensor, noise: Tensor) -> Tensor:
        """Vectors float [B, D].

        outputs, context: float [B, T, D], a word's output vector, and the sum of input vectors that the text's vector is averaged with. known: float [B, T],
        1 or 0. count: float [B, T], the number of vectors in `context`. noise: float [N, D].
        """
        share = 1 / (count + 1)
        weight = known / known.sum(1, keepdim=True).clamp(min=1)
        curved = (outputs.square().sum(2) + self._negative * noise.square().sum(1).mean()) * share.square()
        length = 4 / (weight * curved).sum(1, keepdim=True).clamp(min=1e-9)
        given, share = context * share[:, :, None], share[:, :, None]
        found = ahead = (outputs * 0).sum(1)
        for step in range(STEPS):
            foretold = given + ahead[:, None] * share
            right = torch.sigmoid(-(outputs * foretold).sum(2, keepdim=True)) * outputs
            wrong = torch.sigmoid(foretold @ noise.T) @ noise * (self._negative / NOISE)
            uphill = (weight[:, :, None] * share * (right - wrong)).sum(1)
            before, found = found, ahead + length * uphill
            # Beck and Teboulle, SIAM Journal on Imaging Sciences 2009, with the plain weights (k - 1) / (k + 2).
            ahead = found + step / (step + 3) * (found - before)
        return found
