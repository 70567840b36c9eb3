"""A neural language model: the vectors of the words before a word foretell it, through a hidden layer.

Source: Bengio et al., "A Neural Probabilistic Language Model", JMLR 2003, section 2, with their shortcut from the vectors to the outputs left out (it did not
help them), and the outputs of `sampled_softmax`.
"""

from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from thaw.backbones.encoders.nnlm import architecture_of
from thaw.backbones.weights import Weights
from thaw.kinds.texts.word_keys import key_of
from thaw.kinds.texts.word_preprocessing import WordPreprocessing
from thaw.pretraining.texts.gradients import GradientSettings, GradientTraining, seeded
from thaw.pretraining.texts.numbering import Numbered
from thaw.pretraining.texts.sampled_softmax import SampledSoftmax


class Nnlm(GradientSettings):
    """The settings of `nnlm`."""

    dim: Annotated[int, Field(ge=1, le=4096, description="dimensions of a vector")] = 128
    window: Annotated[int, Field(ge=1, le=100, description="words before a word that foretell it")] = 5
    hidden: Annotated[int, Field(ge=1, le=4096, description="of the layer between, which is not kept")] = 128
    noise: Annotated[int, Field(ge=1, description="noise words that a batch shares")] = 512
    batch_size: Annotated[int, Field(ge=2, description="words of a step")] = 2048
    epochs: Annotated[int, Field(ge=1)] = 2
    learning_rate: Annotated[float, Field(gt=0, description="of Adam; it falls to 0 in a line")] = 0.003


def nnlm_training(numbered: Numbered, settings: Nnlm) -> GradientTraining:
    """The training; an example is a word of the corpus."""
    return GradientTraining(_NextWord(numbered, settings), settings)


class _NextWord(nn.Module):
    """An `Objective`: the next word; before the first word of a sentence stand zeros."""

    def __init__(self, numbered: Numbered, settings: Nnlm) -> None:
        super().__init__()
        self._numbered, self._settings = numbered, settings
        self._places = np.flatnonzero(np.repeat(~numbered.held_out, numbered.lengths))
        self._begins = np.repeat(numbered.starts[:-1], numbered.lengths)
        words = len(numbered.vocabulary.words)
        with seeded(settings.seed):
            self.vectors = nn.Embedding(words, settings.dim, sparse=True)
            nn.init.normal_(self.vectors.weight, std=0.1)
            self.hidden = nn.Linear(settings.window * settings.dim, settings.hidden)
        self.outputs = SampledSoftmax(numbered.vocabulary.counts, settings.hidden, settings.noise)

    @property
    def network(self) -> nn.Module:
        """See `Objective`."""
        return self

    @property
    def examples(self) -> int:
        """See `Objective`."""
        return len(self._places)

    def loss(self, rows: NDArray[np.int64], chance: np.random.Generator) -> Tensor:
        """See `Objective`."""
        places = self._places[rows]
        before = places[:, None] - np.arange(self._settings.window, 0, -1)
        there = torch.from_numpy(before >= self._begins[places][:, None])
        words = torch.from_numpy(self._numbered.words[np.maximum(before, 0)].astype(np.int64))
        vectors = self.vectors(words).masked_fill(~there[:, :, None], 0.0)
        targets = torch.from_numpy(self._numbered.words[places].astype(np.int64))
        loss: Tensor = self.outputs(self.hidden(vectors.flatten(1)).tanh(), targets, chance)
        return loss

    def weights(self) -> Weights:
        """See `Training`: the network `nnlm` with its table of words; unknown words do not count."""
        keys = torch.tensor([key_of(word) for word in self._numbered.vocabulary.words])
        order = keys.argsort()
        words, dim = self.vectors.weight.shape
        tensors = {
            "keys": keys[order],
            "vectors": self.vectors.weight.detach()[order],
            "fc.weight": torch.zeros(1, dim),
            "fc.bias": torch.zeros(1),
        }
        preprocessing = WordPreprocessing(lowercase=self._settings.lowercase).to_json()
        return Weights(tensors, {"architecture": architecture_of(words, dim, 0), "preprocessing": preprocessing})
