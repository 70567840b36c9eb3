"""ELMo, small: a language model in both directions over the characters of words.

Source: Peters et al., "Deep Contextualized Word Representations", NAACL 2018, section 3.1: both directions share the characters and the outputs.
"""

from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from thaw.backbones.encoders.elmo import Elmo as Network
from thaw.backbones.encoders.elmo import ElmoShape
from thaw.backbones.weights import Weights
from thaw.kinds.texts.character_preprocessing import CharacterPreprocessing
from thaw.kinds.texts.characters import characters_of
from thaw.pretraining.texts.gradients import GradientSettings, GradientTraining, seeded
from thaw.pretraining.texts.numbering import Numbered
from thaw.pretraining.texts.sampled_softmax import SampledSoftmax

_IDS = 262
"""Bytes, marks and padding; see `thaw.kinds.texts.characters`."""
_FILTERS = ((1, 16), (2, 32), (3, 64), (4, 64))


class Elmo(GradientSettings):
    """The settings of `elmo`."""

    lowercase: Annotated[Literal[False], Field(description="characters have their capitals")] = False
    max_words: Annotated[int, Field(ge=2, description="the most words that are foretold, the most frequent ones")] = (
        20_000
    )
    size: Annotated[int, Field(ge=1, le=1024, description="of the output in each direction")] = 100
    cell: Annotated[int, Field(ge=1, le=4096, description="of the memory in each direction")] = 200
    layers: Annotated[int, Field(ge=1, le=4, description="of the language model")] = 2
    longest: Annotated[int, Field(ge=5, le=50, description="characters of a word, with the marks around it")] = 20
    longest_sentence: Annotated[int, Field(ge=2, description="words of a sentence that are read and foretold")] = 30
    noise: Annotated[int, Field(ge=1, description="noise words that a batch shares")] = 512
    batch_size: Annotated[int, Field(ge=2, description="sentences of a step")] = 64
    epochs: Annotated[int, Field(ge=1)] = 1
    learning_rate: Annotated[float, Field(gt=0, description="of Adam; it falls to 0 in a line")] = 0.003


def elmo_training(numbered: Numbered, settings: Elmo) -> GradientTraining:
    """The training; an example is a sentence of two or more known words."""
    return GradientTraining(_BothWays(numbered, settings), settings)


class _BothWays(nn.Module):
    """An `Objective`: the word after a place, of the states of one direction, and the word before it, of those of the other."""

    def __init__(self, numbered: Numbered, settings: Elmo) -> None:
        super().__init__()
        self._numbered, self._settings = numbered, settings
        self._sentences = np.flatnonzero((numbered.lengths > 1) & ~numbered.held_out)
        self._characters = torch.from_numpy(characters_of(numbered.vocabulary.words, settings.longest))
        shape = ElmoShape(
            _IDS, 16, _FILTERS, "relu", 1, settings.layers, settings.cell, settings.size, limits=(3.0, 3.0)
        )
        self._architecture = shape.architecture
        with seeded(settings.seed):
            self.encoder = Network(shape, 1)
        for fixed in (self.encoder.fc, self.encoder.weighted):
            fixed.requires_grad_(False)
        self.outputs = SampledSoftmax(numbered.vocabulary.counts, settings.size, settings.noise)

    @property
    def network(self) -> nn.Module:
        """See `Objective`."""
        return self

    @property
    def examples(self) -> int:
        """See `Objective`."""
        return len(self._sentences)

    def loss(self, rows: NDArray[np.int64], chance: np.random.Generator) -> Tensor:
        """See `Objective`."""
        padded, there = self._numbered.padded(self._sentences[rows])
        longest = self._settings.longest_sentence
        words, mask = torch.from_numpy(padded[:, :longest]), torch.from_numpy(there[:, :longest])
        # Each different word of a batch is read once.
        different, places = words.unique(return_inverse=True)
        known = torch.ones(1, len(different), dtype=torch.bool)
        vectors = self.encoder.characters(self._characters[different][None], known)[0]
        stack = vectors[places].masked_fill(~mask[:, :, None], 0.0)
        for layer in self.encoder.recurrent:
            stack = layer(stack)
        size = self._settings.size
        both = mask[:, :-1] & mask[:, 1:]
        states = torch.cat([stack[:, :-1, :size][both], stack[:, 1:, size : 2 * size][both]])
        loss: Tensor = self.outputs(states, torch.cat([words[:, 1:][both], words[:, :-1][both]]), chance)
        return loss

    def weights(self) -> Weights:
        """See `Training`: the network `elmo`, whose mix is the mean of all layers, and whose state before a text is learnt."""
        longest, width = self._settings.longest, 2 * self._settings.size
        tensors = {**self.encoder.state_dict(), "fc.weight": torch.zeros(1, width), "fc.bias": torch.zeros(1)}
        preprocessing = CharacterPreprocessing(longest=longest).to_json()
        return Weights(tensors, {"architecture": self._architecture, "preprocessing": preprocessing})
