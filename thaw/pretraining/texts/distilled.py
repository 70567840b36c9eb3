"""Word vectors distilled from a larger encoder: it reads each word of a corpus alone once, and the principal components of its features are kept.

Source: Tulkens and van Dongen, "Model2Vec: Fast State-of-the-Art Static Embeddings", 2024, with the weights of Arora, Liang and Ma, "A Simple but
Tough-to-Beat Baseline for Sentence Embeddings", ICLR 2017, section 3, of the corpus's own counts.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.backbones.weights import Weights
from thaw.foundation.errors import BadParameters
from thaw.kinds.batches import Batch, in_groups
from thaw.kinds.kind import Limits
from thaw.kinds.prepared import open_reader
from thaw.params.sections import BackboneParams
from thaw.pretraining.texts.joining import random_turn
from thaw.pretraining.texts.numbering import Numbered
from thaw.pretraining.texts.settings import EncoderSettings
from thaw.pretraining.texts.word_backbone import word_backbone

PIECE = 100
"""Words of a step."""
_BATCH = 64


class Distilled(EncoderSettings):
    """The settings of `distilled`."""

    max_words: Annotated[int, Field(ge=2, description="the most words that are read, the most frequent ones")] = 50_000
    teacher: Annotated[Path, Field(description="the backbone of texts that reads the words, a file of `thaw convert`")]
    dim: Annotated[int, Field(ge=1, le=4096, description="dimensions of a vector")] = 280
    common: Annotated[
        float, Field(ge=0, description="words more frequent than about this share count less; 0: all count alike")
    ] = 1e-2

    @property
    def files(self) -> tuple[Path, ...]:
        """See `EncoderSettings`."""
        return (self.teacher,)


class DistilledTraining:
    """A `Training`: in a step the teacher reads a piece of the vocabulary."""

    def __init__(self, numbered: Numbered, settings: Distilled) -> None:
        self._numbered, self._settings = numbered, settings
        self._words = numbered.vocabulary.words
        self._teacher = read_backbone(BackboneParams(weights=str(settings.teacher)))
        if self._teacher.kind.name != "texts":
            raise BadParameters(
                f"teacher: {settings.teacher} is a backbone of {self._teacher.kind.name}; give one of texts"
            )
        self._read = 0
        self._features = torch.empty(0)

    @property
    def steps(self) -> int:
        """See `Training`."""
        return -(-len(self._words) // PIECE)

    def step(self, number: int) -> None:
        """See `Training`; reading has no loss."""
        found = features_of(self._teacher, self._words[number * PIECE : (number + 1) * PIECE])
        if not number:
            self._features = torch.empty(len(self._words), found.shape[1])
            if self._settings.dim > min(self._features.shape):
                raise BadParameters(
                    f"dim: {self._settings.dim} given, and the teacher has {found.shape[1]:,} dimensions for {len(self._words):,} words; set it lower"
                )
        self._features[self._read : self._read + len(found)] = found
        self._read += len(found)

    def state(self) -> dict[str, Tensor]:
        """See `Training`."""
        return {"features": self._features[: self._read]}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """See `Training`."""
        done = state["features"]
        self._read = len(done)
        self._features = torch.empty(len(self._words), done.shape[1])
        self._features[: self._read] = done

    def weights(self) -> Weights:
        """See `Training`: the network `word_vectors`."""
        vocabulary, running = self._numbered.vocabulary, self._numbered.facts.words
        vectors = self._features - self._features.mean(0)
        if common := self._settings.common:
            vectors *= common / (common + torch.tensor(vocabulary.counts)[:, None] / running)
        kept = components(vectors, self._settings.dim)
        # Heads standardise each dimension, which would make the least component as loud as the first, so they are turned at random.
        kept = kept @ torch.from_numpy(random_turn(kept.shape[1], self._settings.seed))
        kept /= kept.std()
        return word_backbone(vocabulary, running, kept.numpy(), lowercase=self._settings.lowercase)


def features_of(teacher: Backbone, texts: Sequence[str]) -> Tensor:
    """Features float32 [N, D] of the default cut layer."""
    reader = open_reader(teacher.preprocessing, Limits())

    def computed(group: Sequence[Batch]) -> Tensor:
        return teacher.features(teacher.kind.collate(group))[teacher.layers[-1]].clone()

    return in_groups([reader.prepare(text.encode()) for text in texts], _BATCH, computed)


def components(vectors: Tensor, count: int) -> Tensor:
    """The principal components of rows, float32 [N, count], without their mean."""
    centred = vectors - vectors.mean(0)
    _, turned = np.linalg.eigh((centred.T @ centred).double().numpy())
    return centred @ torch.from_numpy(turned[:, ::-1][:, :count].astype(np.float32))
