"""Quick-Thought with bags of words: two encoders learn to find a sentence's neighbour among the other sentences of a batch.

Source: Logeswaran and Lee, "An Efficient Framework for Learning Sentence Representations", ICLR 2018, section 3, here with means of word vectors (their
section 4 has them as an encoder). A vector of f and one of g stand for each word; the encoding of a text is both means, side by side (their section 3.2).
"""

from collections.abc import Mapping
from typing import Annotated

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from thaw.backbones.weights import Weights
from thaw.foundation.errors import BadParameters
from thaw.params.sections.section import Share
from thaw.pretraining.texts.numbering import Numbered
from thaw.pretraining.texts.settings import EncoderSettings
from thaw.pretraining.texts.word_backbone import word_backbone


class QuickThought(EncoderSettings):
    """The settings of `quick_thought`."""

    dim: Annotated[int, Field(ge=1, le=4096, description="dimensions of each of the two encoders")] = 100
    batch_size: Annotated[int, Field(ge=2, description="pairs of a batch; a neighbour is sought among so many")] = 400
    epochs: Annotated[int, Field(ge=1)] = 5
    learning_rate: Annotated[float, Field(gt=0, description="of Adam; it falls to 0 in a line")] = 0.01
    window: Annotated[int, Field(ge=1, le=50, description="how far a neighbour may be, in sentences")] = 1
    spread: Annotated[float, Field(gt=0, description="vectors begin between minus this and this")] = 0.1
    hidden: Annotated[Share, Field(description="the share of words that are hidden in each step")] = 0.0
    scale: Annotated[float, Field(ge=0, description="0: inner products; else cosines times this")] = 0.0


class QuickThoughtTraining:
    """A `Training`; a step is a batch."""

    def __init__(self, numbered: Numbered, settings: QuickThought) -> None:
        self._numbered, self._settings, self._seed = numbered, settings, settings.seed
        held_out = numbered.held_out
        pairs = numbered.neighbours(settings.window)
        self._pairs = pairs[~held_out[pairs].any(1)]
        if len(self._pairs) < settings.batch_size:
            raise BadParameters(
                f"the corpus has {len(self._pairs):,} pairs of neighbouring sentences, and a batch takes {settings.batch_size:,}; give more text, "
                f"with the sentences in their order, or set batch_size lower"
            )
        generator = torch.Generator().manual_seed(settings.seed)
        shape = (len(numbered.vocabulary.words), settings.dim)
        self._encoders = [_encoder(shape, settings.spread, generator) for _ in range(2)]
        parameters = [encoder.weight for encoder in self._encoders]
        self._optimiser = torch.optim.SparseAdam(parameters, lr=settings.learning_rate)
        self._order: tuple[int, NDArray[np.int64]] | None = None

    @property
    def steps(self) -> int:
        """See `Training`."""
        return self._settings.epochs * self._steps_of_epoch

    @property
    def _steps_of_epoch(self) -> int:
        return len(self._pairs) // self._settings.batch_size

    def step(self, number: int) -> float:
        """See `Training`."""
        chance = np.random.default_rng((self._seed, 1, number))
        pairs = self._pairs[self._rows(number)]
        # Which of the two sentences is the one that the other is sought for is drawn, as both directions count.
        turned = chance.random(len(pairs)) < 0.5
        pairs = np.where(turned[:, None], pairs[:, ::-1], pairs)
        for group in self._optimiser.param_groups:
            group["lr"] = self._settings.learning_rate * (1 - number / self.steps)
        here, there = (encoder(*self._bags(pairs[:, side], chance)) for side, encoder in enumerate(self._encoders))
        if self._settings.scale:
            here, there = F.normalize(here), self._settings.scale * F.normalize(there)
        loss = F.cross_entropy(here @ there.T, torch.arange(len(pairs)))
        self._optimiser.zero_grad()
        loss.backward()
        self._optimiser.step()
        return float(loss.detach())

    def _rows(self, number: int) -> NDArray[np.int64]:
        """The pairs of a step, of a new order in each epoch."""
        epoch, place = divmod(number, self._steps_of_epoch)
        if self._order is None or self._order[0] != epoch:
            self._order = epoch, np.random.default_rng((self._seed, 0, epoch)).permutation(len(self._pairs))
        size = self._settings.batch_size
        return self._order[1][place * size : (place + 1) * size]

    def _bags(self, sentences: NDArray[np.int64], chance: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Words int64 [N] of all sentences, and the first place of each sentence int64 [B]; the first word of a sentence is never hidden."""
        starts, lengths = self._numbered.starts[sentences], self._numbered.lengths[sentences]
        first = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        words = self._numbered.words[np.repeat(starts - first, lengths) + np.arange(lengths.sum())].astype(np.int64)
        if self._settings.hidden:
            kept = chance.random(len(words)) >= self._settings.hidden
            kept[first] = True
            words, first = words[kept], np.concatenate([[0], np.cumsum(kept)])[first]
        return torch.from_numpy(words), torch.from_numpy(first)

    def state(self) -> dict[str, Tensor]:
        """See `Training`."""
        tensors = {f"vectors/{side}": encoder.weight for side, encoder in enumerate(self._encoders)}
        for side, encoder in enumerate(self._encoders):
            for name, value in self._optimiser.state[encoder.weight].items():
                tensors[f"adam/{side}/{name}"] = torch.as_tensor(value)
        return tensors

    def load(self, state: Mapping[str, Tensor]) -> None:
        """See `Training`."""
        for side, encoder in enumerate(self._encoders):
            with torch.no_grad():
                encoder.weight.copy_(state[f"vectors/{side}"])
            begun = f"adam/{side}/"
            own = {name.removeprefix(begun): value for name, value in state.items() if name.startswith(begun)}
            if own:
                self._optimiser.state[encoder.weight] = {**own, "step": int(own["step"])}

    def weights(self) -> Weights:
        """See `Training`: `word_vectors` whose first half is f's and whose second half is g's."""
        both = torch.cat([encoder.weight.detach() for encoder in self._encoders], 1)
        vocabulary, running = self._numbered.vocabulary, self._numbered.facts.words
        return word_backbone(vocabulary, running, both.numpy(), lowercase=self._settings.lowercase)


def _encoder(shape: tuple[int, int], spread: float, generator: torch.Generator) -> nn.EmbeddingBag:
    vectors = (2 * torch.rand(shape, generator=generator) - 1) * spread
    return nn.EmbeddingBag.from_pretrained(vectors, freeze=False, mode="mean", sparse=True)
