"""What the encoders of gensim have in common: they are trained by one worker, in pieces of the corpus, so that the same seed gives the same numbers."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from thaw.foundation.errors import BadParameters
from thaw.pretraining.texts.numbering import Numbered
from thaw.pretraining.texts.settings import EncoderSettings

PIECE = 10_000
"""Sentences of a step."""


class GensimSettings(EncoderSettings):
    """The settings that all encoders of gensim have; the names are the field's own, after Mikolov et al., NeurIPS 2013."""

    dim: Annotated[int, Field(ge=1, le=4096, description="dimensions of a vector")] = 200
    window: Annotated[
        int, Field(ge=1, le=100, description="words on each side of a word that count as its neighbours")
    ] = 8
    negative: Annotated[int, Field(ge=1, le=100, description="noise words for each word")] = 8
    sample: Annotated[float, Field(ge=0, description="more frequent words than this share are left out at random")] = (
        1e-4
    )
    epochs: Annotated[int, Field(ge=1)] = 10
    learning_rate: Annotated[float, Field(gt=0, description="it falls to a hundredth in a line")] = 0.05

    def of_gensim(self) -> dict[str, Any]:
        """The arguments of gensim's models; the vocabulary is already chosen."""
        return {
            "vector_size": self.dim,
            "window": self.window,
            "negative": self.negative,
            "sample": self.sample,
            "min_count": 1,
            "sorted_vocab": 0,  # it is in order already
            "workers": 1,
            "seed": self.seed,
        }


def gensim_models() -> Any:
    """The module `gensim.models`.

    Raises:
        BadParameters: the package is not installed.
    """
    if find_spec("gensim") is None:
        raise BadParameters(
            "this encoder is trained by the package gensim, which is not installed: pip install 'thaw[texts]'"
        )
    import gensim.models

    # It warns that a piece is small, which it is on purpose.
    logging.getLogger("gensim").setLevel(logging.ERROR)
    return gensim.models


class Pieces:
    """The training of a model of gensim in pieces. tensors: what is learnt, by name; the arrays are changed in place."""

    def __init__(
        self, model: Any, numbered: Numbered, settings: GensimSettings, tensors: Mapping[str, NDArray[np.float32]]
    ) -> None:
        self._model, self._numbered, self._settings, self._seed = model, numbered, settings, settings.seed
        self._tensors = tensors
        self._sentences = np.flatnonzero((numbered.lengths > 0) & ~numbered.held_out)

    @property
    def _pieces(self) -> int:
        return -(-len(self._sentences) // PIECE)

    @property
    def steps(self) -> int:
        """See `Training`."""
        return self._settings.epochs * self._pieces

    def step(self, number: int) -> None:
        """See `Training`; gensim tells no loss that can be compared."""
        epoch, piece = divmod(number, self._pieces)
        order = np.random.default_rng((self._seed, 0, epoch)).permutation(self._pieces)
        place = int(order[piece])
        self._model.random = np.random.RandomState(np.random.SeedSequence((self._seed, 1, number)).generate_state(1)[0])
        start, end = (self._settings.learning_rate * (1 - 0.99 * done / self.steps) for done in (number, number + 1))
        self._model.train(
            self._piece(place),
            total_examples=len(self._sentences_of(place)),
            epochs=1,
            start_alpha=start,
            end_alpha=end,
        )

    def _piece(self, place: int) -> "Sentences":
        """The piece at that place of the corpus, as gensim takes it."""
        return Sentences(self._numbered, self._sentences_of(place))

    def _sentences_of(self, place: int) -> NDArray[np.int64]:
        return self._sentences[self._first_of(place) : self._first_of(place + 1)]

    def _first_of(self, place: int) -> int:
        return place * PIECE

    def state(self) -> dict[str, Tensor]:
        """See `Training`."""
        return {name: torch.from_numpy(array) for name, array in self._tensors.items()}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """See `Training`."""
        for name, array in self._tensors.items():
            array[:] = state[name].numpy()


class Sentences:
    """Sentences as lists of words, which gensim may read more than once."""

    def __init__(self, numbered: Numbered, chosen: Sequence[int] | NDArray[np.int64]) -> None:
        self._numbered, self._chosen = numbered, chosen

    def __iter__(self) -> Iterator[list[str]]:
        words = self._numbered.vocabulary.words
        for number in self._chosen:
            yield [words[place] for place in self._numbered.sentence(int(number))]


def frequencies(numbered: Numbered) -> dict[str, int]:
    """The vocabulary as gensim takes it."""
    return dict(zip(numbered.vocabulary.words, numbered.vocabulary.counts, strict=True))
