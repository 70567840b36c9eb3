"""Doc2Vec by gensim: PV-DBOW and PV-DM (Le and Mikolov, ICML 2014); each sentence of the corpus is a document."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field

from thaw.backbones.encoders.paragraph_vectors import NOISE, WINDOWS, architecture_of
from thaw.backbones.weights import Weights
from thaw.kinds.texts.word_keys import key_of
from thaw.kinds.texts.word_preprocessing import WordPreprocessing
from thaw.pretraining.texts.gensim_models import GensimSettings, Pieces, Sentences, gensim_models
from thaw.pretraining.texts.numbering import Numbered

_NOISE_POWER = 0.75
"""Noise words are as frequent as the power of their counts (Mikolov et al., NeurIPS 2013, section 2.2)."""


class Doc2Vec(GensimSettings):
    """The settings of `doc2vec`."""

    model: Annotated[
        Literal["dbow", "dm"],
        Field(description="dbow: a text's vector foretells its words; dm: it does so with the words around"),
    ] = "dbow"


class Doc2VecTraining(Pieces):
    """A `Training`; a step is a piece of the corpus. The vectors of the corpus's own sentences are not kept."""

    def __init__(self, numbered: Numbered, settings: Doc2Vec) -> None:
        model = gensim_models().doc2vec.Doc2Vec(**settings.of_gensim(), dm=int(settings.model == WINDOWS), dm_mean=1)
        model.build_vocab(_Documents(numbered, np.flatnonzero((numbered.lengths > 0) & ~numbered.held_out)))
        learnt = {"documents": model.dv.vectors, "inputs": model.wv.vectors, "outputs": model.syn1neg}
        super().__init__(model, numbered, settings, learnt)
        self._windows = settings.window if settings.model == WINDOWS else None

    def _piece(self, place: int) -> "_Documents":
        """See `Pieces`; documents are numbered through all pieces."""
        return _Documents(self._numbered, self._sentences_of(place), self._first_of(place))

    def weights(self) -> Weights:
        """See `Training`: the network `paragraph_vectors`, of the words that stand in the sentences that were learnt from."""
        words: list[str] = self._model.wv.index_to_key
        keys = np.array([key_of(word) for word in words], np.int64)
        order = np.argsort(keys)
        counts = np.array([self._model.wv.get_vecattr(word, "count") for word in words])[order]
        names = {"outputs", "inputs"} if self._windows is not None else {"outputs"}
        dim = self._settings.dim
        tensors = {name: torch.from_numpy(self._tensors[name][order]) for name in names} | {
            "keys": torch.from_numpy(keys[order]),
            "noise": torch.from_numpy(noise_of(counts)),
            "fc.weight": torch.zeros(1, dim),
            "fc.bias": torch.zeros(1),
        }
        metadata = {
            "architecture": architecture_of(len(words), dim, self._windows, self._settings.negative),
            "preprocessing": WordPreprocessing(lowercase=self._settings.lowercase).to_json(),
        }
        return Weights(tensors, metadata)


def noise_of(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The places of `NOISE` words at even steps of the noise's distribution: int64 [NOISE]; counts: of the words."""
    shares = np.cumsum(counts.astype(np.float64) ** _NOISE_POWER)
    wanted = (np.arange(NOISE) + 0.5) / NOISE * shares[-1]
    places: NDArray[np.int64] = np.searchsorted(shares, wanted).astype(np.int64)
    return places


class _Documents(Sentences):
    """Sentences as gensim's documents, numbered from `first` on."""

    def __init__(self, numbered: Numbered, chosen: NDArray[np.int64], first: int = 0) -> None:
        super().__init__(numbered, chosen)
        self._first = first

    def __iter__(self) -> Iterator[Any]:
        from gensim.models.doc2vec import TaggedDocument

        for number, words in enumerate(super().__iter__(), self._first):
            yield TaggedDocument(words, [number])
