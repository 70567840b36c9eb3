"""A language model with long short-term memory: the words up to a place foretell the next one.

Source: Sundermeyer, Schlüter and Ney, "LSTM Neural Networks for Language Modeling", Interspeech 2012, with the outputs of `sampled_softmax`.
"""

from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from thaw.backbones.encoders.lstm import architecture_of
from thaw.backbones.encoders.recurrent import LstmShape, OnwardLstm
from thaw.backbones.weights import Weights
from thaw.kinds.texts.word_keys import key_of
from thaw.kinds.texts.word_preprocessing import WordPreprocessing
from thaw.pretraining.texts.gradients import GradientSettings, GradientTraining, seeded
from thaw.pretraining.texts.numbering import Numbered
from thaw.pretraining.texts.sampled_softmax import SampledSoftmax


class Lstm(GradientSettings):
    """The settings of `lstm`."""

    max_words: Annotated[int, Field(ge=2, description="the most words that are learnt, the most frequent ones")] = (
        20_000
    )
    dim: Annotated[int, Field(ge=1, le=4096, description="dimensions of a word's vector")] = 100
    cell: Annotated[int, Field(ge=1, le=4096, description="of the memory, and of the output of a layer")] = 300
    layers: Annotated[int, Field(ge=1, le=4, description="of the recurrence, one above the other")] = 1
    longest: Annotated[int, Field(ge=2, description="words of a sentence that are read and foretold")] = 30
    noise: Annotated[int, Field(ge=1, description="noise words that a batch shares")] = 512
    batch_size: Annotated[int, Field(ge=2, description="sentences of a step")] = 64
    epochs: Annotated[int, Field(ge=1)] = 2
    learning_rate: Annotated[float, Field(gt=0, description="of Adam; it falls to 0 in a line")] = 0.001


def lstm_training(numbered: Numbered, settings: Lstm) -> GradientTraining:
    """The training; an example is a sentence of two or more known words."""
    return GradientTraining(_Onward(numbered, settings), settings)


class _Onward(nn.Module):
    """An `Objective`: the word after each place of a sentence, of the state there."""

    def __init__(self, numbered: Numbered, settings: Lstm) -> None:
        super().__init__()
        self._numbered, self._settings = numbered, settings
        self._sentences = np.flatnonzero((numbered.lengths > 1) & ~numbered.held_out)
        sizes = [settings.dim, *(settings.cell for _ in range(settings.layers))]
        with seeded(settings.seed):
            self.vectors = nn.Embedding(len(numbered.vocabulary.words), settings.dim, sparse=True)
            nn.init.uniform_(self.vectors.weight, -0.1, 0.1)
            self.recurrent = nn.ModuleList(OnwardLstm(LstmShape(below, settings.cell)) for below in sizes[:-1])
        self.outputs = SampledSoftmax(numbered.vocabulary.counts, settings.cell, settings.noise)

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
        longest = self._settings.longest
        words, mask = torch.from_numpy(padded[:, :longest]), torch.from_numpy(there[:, :longest])
        states = self.vectors(words)
        for layer in self.recurrent:
            states = layer(states, mask)
        followed = mask[:, 1:]
        loss: Tensor = self.outputs(states[:, :-1][followed], words[:, 1:][followed], chance)
        return loss

    def weights(self) -> Weights:
        """See `Training`: the network `lstm`; unknown words are passed over."""
        keys = torch.tensor([key_of(word) for word in self._numbered.vocabulary.words])
        order = keys.argsort()
        vectors, settings = self.vectors.weight.detach(), self._settings
        tensors = {f"recurrent.{name}": each.detach() for name, each in self.recurrent.state_dict().items()} | {
            "embeddings.keys": keys[order],
            "embeddings.vectors": vectors[order],
            "fc.weight": torch.zeros(1, 3 * settings.cell),
            "fc.bias": torch.zeros(1),
        }
        preprocessing = WordPreprocessing(lowercase=settings.lowercase).to_json()
        architecture = architecture_of(len(keys), vectors.shape[1], settings.layers, settings.cell)
        return Weights(tensors, {"architecture": architecture, "preprocessing": preprocessing})
