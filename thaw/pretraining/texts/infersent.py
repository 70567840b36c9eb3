"""InferSent: a recurrent network in both directions learns what one sentence says of another.

Source: Conneau et al., "Supervised Learning of Universal Sentence Representations from Natural Language Inference Data", EMNLP 2017, sections 3.1 and 3.2.2.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from thaw.backbones.encoders.infersent import InferSent as Network
from thaw.backbones.encoders.infersent import architecture_of
from thaw.backbones.encoders.word_vectors import FAMILY
from thaw.backbones.weights import Weights, read_weights
from thaw.foundation.errors import BadParameters, BadSource, BadWeights
from thaw.kinds.texts.word_keys import key_of
from thaw.params.values.places import laid, named_shipped
from thaw.pretraining.texts.corpus import Corpus
from thaw.pretraining.texts.gradients import GradientSettings, GradientTraining, seeded
from thaw.pretraining.texts.numbering import Numbered
from thaw.pretraining.texts.pairs import pairs_in

_AT_ONCE = 256


class InferSent(GradientSettings):
    """The settings of `infersent`."""

    min_count: Annotated[int, Field(ge=1, description="a word counts if the pairs have it so often")] = 1
    words: Annotated[Path, Field(description="the backbone of word vectors that it reads with; they stay as they are")] = (
        named_shipped("thaw_words")
    )  # fmt: skip
    cell: Annotated[int, Field(ge=1, le=4096, description="of each direction; a text has twice as many dimensions")] = (
        256
    )
    hidden: Annotated[int, Field(ge=1, description="of the classifier, which is not kept")] = 256
    epochs: Annotated[int, Field(ge=1)] = 5
    learning_rate: Annotated[float, Field(gt=0, description="of Adam; it falls to 0 in a line")] = 0.002

    @property
    def files(self) -> tuple[Path, ...]:
        """See `EncoderSettings`."""
        return (laid(self.words),)


def infersent_training(numbered: Numbered, settings: InferSent, corpus: Corpus) -> GradientTraining:
    """The training; an example is a labelled pair, whose sentences are neighbours in `numbered`."""
    return GradientTraining(_Inference(numbered, settings, corpus), settings)


class _Inference:
    """An `Objective`: the label of a pair is told from u, v, |u - v| and u * v, where u and v are the sentences' vectors."""

    def __init__(self, numbered: Numbered, settings: InferSent, corpus: Corpus) -> None:
        vectors = read_weights(laid(settings.words))
        self._preprocessing = vectors.metadata.get("preprocessing", "")
        if not vectors.metadata.get("architecture", "").startswith(f"{FAMILY}-"):
            raise BadWeights(f"words: {settings.words} is no backbone of word vectors; `thaw convert` makes one")
        self._pairs, labels = _labelled(numbered, corpus)
        self._held_out = numbered.held_out[self._pairs].any(1)
        self._learnt = np.flatnonzero(~self._held_out)
        self._class_names, targets = np.unique(labels, return_inverse=True)
        if len(self._class_names) < 2:
            raise BadParameters(
                f"all pairs have the label {', '.join(self._class_names)}; give pairs of two or more labels"
            )
        self._targets = torch.from_numpy(targets.astype(np.int64))
        self._numbered = numbered
        self._keys = np.array([key_of(word) for word in numbered.vocabulary.words], np.int64)
        words, dim = vectors.tensors["vectors"].shape
        self._architecture = architecture_of(words, dim, settings.cell)
        with seeded(settings.seed):
            self._encoder = Network(words, dim, settings.cell, 1)
            self._classifier = nn.Sequential(
                nn.Linear(8 * settings.cell, settings.hidden),
                nn.Tanh(),
                nn.Linear(settings.hidden, len(self._class_names)),
            )
        with torch.no_grad():
            self._encoder.embeddings.keys.copy_(vectors.tensors["keys"])
            self._encoder.embeddings.marks.copy_(torch.tensor([key_of("<s>"), key_of("</s>")]))
            self._encoder.embeddings.vectors.copy_(vectors.tensors["vectors"])
        for fixed in (self._encoder.embeddings.vectors, self._encoder.lstm.hidden, self._encoder.lstm.cell):
            fixed.requires_grad_(False)
        self.network = nn.ModuleList([self._encoder.lstm, self._classifier])

    @property
    def examples(self) -> int:
        """See `Objective`."""
        return len(self._learnt)

    def loss(self, rows: NDArray[np.int64], chance: np.random.Generator) -> Tensor:
        """See `Objective`."""
        chosen = self._learnt[rows]
        return F.cross_entropy(self._logits(chosen), self._targets[chosen])

    def _logits(self, chosen: NDArray[np.int64]) -> Tensor:
        pairs = self._pairs[chosen]
        first, second = self._vectors(pairs.T.ravel()).chunk(2)
        logits: Tensor = self._classifier(torch.cat([first, second, (first - second).abs(), first * second], 1))
        return logits

    def _vectors(self, sentences: NDArray[np.int64]) -> Tensor:
        """The largest values of the states, float [B, 2 H], as the network computes them."""
        words, there = self._numbered.padded(sentences)
        encoder = self._encoder
        places = encoder.embeddings(torch.from_numpy(self._keys[words]), torch.from_numpy(there))
        states = encoder.lstm(places, places, (places != 0).any(2))
        largest: Tensor = encoder.largest(states, (states != 0).any(2))
        return largest

    @torch.no_grad()
    def _accuracy(self) -> float:
        """The share of held-out pairs whose label is told right."""
        chosen = np.flatnonzero(self._held_out)
        parts = [chosen[start : start + _AT_ONCE] for start in range(0, len(chosen), _AT_ONCE)]
        right = sum(int((self._logits(part).argmax(1) == self._targets[part]).sum()) for part in parts)
        return right / len(chosen)

    def weights(self) -> Weights:
        """See `Training`: the network `infersent`, with all words of the word vectors."""
        cell = self._encoder.lstm.into.shape[2] // 4
        tensors = {**self._encoder.state_dict(), "fc.weight": torch.zeros(1, 2 * cell), "fc.bias": torch.zeros(1)}
        names = ", ".join(self._class_names)
        told = (
            f"Of {self._held_out.sum():,} pairs that it did not learn from it tells {self._accuracy():.1%} right ({names})."
            if self._held_out.any()
            else f"The labels are {names}; there are too few pairs to hold some out."
        )
        return Weights(tensors, {"architecture": self._architecture, "preprocessing": self._preprocessing}, (told,))


def _labelled(numbered: Numbered, corpus: Corpus) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """The pairs that have known words, int64 [P, 2], as numbers of sentences, and their labels, [P]."""
    labels = np.array([pair.label for pair in pairs_in(corpus)])
    if 2 * len(labels) != len(numbered.follows):
        raise BadSource(f"{corpus.files[0]} has changed while it was read; give the same command again")
    pairs = np.arange(2 * len(labels), dtype=np.int64).reshape(-1, 2)
    filled = (numbered.lengths[pairs] > 0).all(1)
    return pairs[filled], labels[filled]
