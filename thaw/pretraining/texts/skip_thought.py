"""Skip-Thought: the last state of a gated recurrent unit foretells the sentences before and after a sentence, word by word.

Source: Kiros et al., "Skip-Thought Vectors", NIPS 2015, section 2: two decoders with conditional gated units, here with the outputs of `sampled_softmax`, which
both share, as they do there.
"""

from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from thaw.backbones.encoders.gated_units import ResetAfter
from thaw.backbones.encoders.skip_thought import architecture_of
from thaw.backbones.weights import Weights
from thaw.kinds.texts.word_keys import key_of
from thaw.kinds.texts.word_preprocessing import WordPreprocessing
from thaw.pretraining.texts.gradients import GradientSettings, GradientTraining, seeded
from thaw.pretraining.texts.numbering import Numbered
from thaw.pretraining.texts.sampled_softmax import SampledSoftmax


class SkipThought(GradientSettings):
    """The settings of `skip_thought`."""

    max_words: Annotated[int, Field(ge=2, description="the most words that are learnt, the most frequent ones")] = (
        20_000
    )
    dim: Annotated[int, Field(ge=1, le=4096, description="dimensions of a word's vector")] = 100
    size: Annotated[int, Field(ge=1, le=4096, description="of the state, which is a text's vector")] = 300
    longest: Annotated[int, Field(ge=1, description="words of a sentence that are read and foretold")] = 30
    noise: Annotated[int, Field(ge=1, description="noise words that a batch shares")] = 512
    batch_size: Annotated[int, Field(ge=2, description="pairs of neighbouring sentences of a step")] = 128
    epochs: Annotated[int, Field(ge=1)] = 2
    learning_rate: Annotated[
        float, Field(gt=0, description="of Adam; it falls to 0 in a line. From 0.003 on the loss rises")
    ] = 0.0005


def skip_thought_training(numbered: Numbered, settings: SkipThought) -> GradientTraining:
    """The training; an example is a pair of neighbouring sentences, each of which foretells the other."""
    return GradientTraining(_Around(numbered, settings), settings)


class _Around(nn.Module):
    """An `Objective`: the sentence after a sentence, and the one before it, each by a decoder of its own."""

    def __init__(self, numbered: Numbered, settings: SkipThought) -> None:
        super().__init__()
        self._numbered, self._settings = numbered, settings
        self._pairs = numbered.learnt_neighbours(1)
        words, dim, size = len(numbered.vocabulary.words), settings.dim, settings.size
        with seeded(settings.seed):
            self.vectors = nn.Embedding(words, dim, sparse=True)
            nn.init.uniform_(self.vectors.weight, -0.1, 0.1)
            self.encoder = ResetAfter(dim, size)
            # Each step of a decoder sees the encoder's state beside the word before it.
            self.decoders = nn.ModuleList(nn.GRU(dim + size, size, batch_first=True) for _ in range(2))
        self.outputs = SampledSoftmax(numbered.vocabulary.counts, size, settings.noise)

    @property
    def network(self) -> nn.Module:
        """See `Objective`."""
        return self

    @property
    def examples(self) -> int:
        """See `Objective`."""
        return len(self._pairs)

    def loss(self, rows: NDArray[np.int64], chance: np.random.Generator) -> Tensor:
        """See `Objective`."""
        (first, there_first), (second, there_second) = (self._words(self._pairs[rows, side]) for side in (0, 1))
        states, targets = zip(
            self._decoded(first, there_first, second, there_second, after=True),
            self._decoded(second, there_second, first, there_first, after=False),
            strict=True,
        )
        loss: Tensor = self.outputs(torch.cat(states), torch.cat(targets), chance)
        return loss

    def _words(self, sentences: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        words, there = self._numbered.padded(sentences)
        longest = self._settings.longest
        return torch.from_numpy(words[:, :longest]), torch.from_numpy(there[:, :longest])

    def _decoded(
        self, read: Tensor, there: Tensor, told: Tensor, wanted: Tensor, *, after: bool
    ) -> tuple[Tensor, Tensor]:
        """States float [N, H] and the words int64 [N] that they foretell; read, told: int64 [B, T], with their masks."""
        thought = self.encoder(self.vectors(read), there)
        before = nn.functional.pad(self.vectors(told)[:, :-1], (0, 0, 1, 0))
        given = torch.cat([before, thought[:, None].expand(-1, told.shape[1], -1)], 2)
        states, _ = self.decoders[int(after)](given)
        return states[wanted], told[wanted]

    def weights(self) -> Weights:
        """See `Training`: the network `skip_thought` with one unit; an unknown word has the mean vector."""
        keys = torch.tensor([key_of(word) for word in self._numbered.vocabulary.words])
        order = keys.argsort()
        vectors = self.vectors.weight.detach()
        size = self._settings.size
        tensors = {f"uni.{name}": each.detach() for name, each in self.encoder.state_dict().items()} | {
            "keys": keys[order],
            "uni_vectors": torch.cat([vectors[order], vectors.mean(0, keepdim=True)]),
            "fc.weight": torch.zeros(1, size),
            "fc.bias": torch.zeros(1),
        }
        preprocessing = WordPreprocessing(lowercase=self._settings.lowercase).to_json()
        architecture = architecture_of(len(keys), vectors.shape[1], size, 0)
        return Weights(tensors, {"architecture": architecture, "preprocessing": preprocessing})
