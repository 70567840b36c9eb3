"""Quick-Thought with bags of words: two encoders learn to find a sentence's neighbour among the other sentences of a batch.

Source: Logeswaran and Lee, "An Efficient Framework for Learning Sentence Representations", ICLR 2018, section 3, here with means of word vectors (their
section 4 has them as an encoder). A vector of f and one of g stand for each word; the encoding of a text is both means, side by side (their section 3.2).
"""

from typing import Annotated

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from thaw.backbones.weights import Weights
from thaw.params.sections.section import Share
from thaw.pretraining.texts.gradients import GradientSettings, GradientTraining
from thaw.pretraining.texts.numbering import Numbered
from thaw.pretraining.texts.word_backbone import word_backbone


class QuickThought(GradientSettings):
    """The settings of `quick_thought`."""

    dim: Annotated[int, Field(ge=1, le=4096, description="dimensions of each of the two encoders")] = 100
    batch_size: Annotated[int, Field(ge=2, description="pairs of a batch; a neighbour is sought among so many")] = 400
    epochs: Annotated[int, Field(ge=1)] = 5
    learning_rate: Annotated[float, Field(gt=0, description="of Adam; it falls to 0 in a line")] = 0.01
    window: Annotated[int, Field(ge=1, le=50, description="how far a neighbour may be, in sentences")] = 1
    spread: Annotated[float, Field(gt=0, description="vectors begin between minus this and this")] = 0.1
    hidden: Annotated[Share, Field(description="the share of words that are hidden in each step")] = 0.0
    scale: Annotated[float, Field(ge=0, description="0: inner products; else cosines times this")] = 0.0


def quick_thought_training(numbered: Numbered, settings: QuickThought) -> GradientTraining:
    """The training; an example is a pair of neighbouring sentences."""
    return GradientTraining(_Neighbours(numbered, settings), settings)


class _Neighbours:
    """An `Objective`: the neighbour of a sentence is found among those of a batch."""

    def __init__(self, numbered: Numbered, settings: QuickThought) -> None:
        self._numbered, self._settings = numbered, settings
        self._pairs = numbered.learnt_neighbours(settings.window)
        generator = torch.Generator().manual_seed(settings.seed)
        shape = (len(numbered.vocabulary.words), settings.dim)
        self._encoders = [_encoder(shape, settings.spread, generator) for _ in range(2)]
        self.network = nn.ModuleList(self._encoders)

    @property
    def examples(self) -> int:
        """See `Objective`."""
        return len(self._pairs)

    def loss(self, rows: NDArray[np.int64], chance: np.random.Generator) -> Tensor:
        """See `Objective`."""
        pairs = self._pairs[rows]
        # Which of the two sentences is the one that the other is sought for is drawn, as both directions count.
        turned = chance.random(len(pairs)) < 0.5
        pairs = np.where(turned[:, None], pairs[:, ::-1], pairs)
        here, there = (encoder(*self._bags(pairs[:, side], chance)) for side, encoder in enumerate(self._encoders))
        if self._settings.scale:
            here, there = F.normalize(here), self._settings.scale * F.normalize(there)
        return F.cross_entropy(here @ there.T, torch.arange(len(pairs)))

    def _bags(self, sentences: NDArray[np.int64], chance: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Words int64 [N] of all sentences, and the first place of each sentence int64 [B]; the first word of a sentence is never hidden."""
        words, first = self._numbered.joined(sentences)
        if self._settings.hidden:
            kept = chance.random(len(words)) >= self._settings.hidden
            kept[first] = True
            words, first = words[kept], np.concatenate([[0], np.cumsum(kept)])[first]
        return torch.from_numpy(words), torch.from_numpy(first)

    def weights(self) -> Weights:
        """See `Training`: `word_vectors` whose first half is f's and whose second half is g's."""
        both = torch.cat([encoder.weight.detach() for encoder in self._encoders], 1)
        vocabulary, running = self._numbered.vocabulary, self._numbered.facts.words
        return word_backbone(vocabulary, running, both.numpy(), lowercase=self._settings.lowercase)


def _encoder(shape: tuple[int, int], spread: float, generator: torch.Generator) -> nn.EmbeddingBag:
    vectors = (2 * torch.rand(shape, generator=generator) - 1) * spread
    return nn.EmbeddingBag.from_pretrained(vectors, freeze=False, mode="mean", sparse=True)
