"""One table of word vectors out of several: the means of a text's vectors keep what neighbouring sentences share, in few dimensions."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from scipy import sparse

from thaw.backbones.encoders.word_vectors import architecture_of
from thaw.backbones.weights import Weights
from thaw.foundation.errors import BadWeights
from thaw.kinds.texts.word_keys import key_of
from thaw.params.sections.section import Section
from thaw.pretraining.storing import Stored
from thaw.pretraining.texts.numbering import Numbered

Matrix = NDArray[np.float32]
_LEAST = 1e-6
"""Directions whose variance is a smaller share of the largest one hold rounding errors."""
_LEAST_SHARED = 1e-3
"""The smallest correlation between neighbours that a direction is counted with."""


class JoinSettings(Section):
    """The settings of `join`."""

    words: Annotated[int, Field(ge=2, description="the most words that are kept, the most frequent ones")] = 20_000
    dim: Annotated[int, Field(ge=1, description="dimensions that are kept")] = 128
    power: Annotated[float, Field(ge=0, description="directions are scaled by this power of what neighbours share")] = (
        0.5
    )
    seed: Annotated[int, Field(ge=0)] = 0
    stored: Annotated[Stored, Field(description="the precision of the written numbers")] = "float8"


def join(parts: Sequence[Weights], numbered: Numbered, settings: JoinSettings) -> Weights:
    """Join backbones of the family `word_vectors`, each as it is and weighted by rarity, on the sentences of a corpus.

    For each table the directions of the sentences' means are found in which neighbouring sentences are most alike, relative to all sentences (slow features:
    Wiskott and Sejnowski, Neural Computation 2002), and scaled by how alike they are. The principal components of all of them together are kept. At last they
    are turned at random, because heads standardise each dimension, which would make the least component as loud as the first.

    Raises:
        BadWeights: the parts have different words, or are of another family.
    """
    keys = _keys_of(parts)
    texts = _Texts(numbered, keys)
    tables = [table for part in parts for table in _tables(part.tensors)]
    slow = [texts.scaled(table @ texts.slow(table, settings.power)) for table in tables]
    joined = np.concatenate(slow, 1)
    joined = joined @ texts.components(joined, settings.dim)
    # The deviation 1 uses the range of float8 well; heads scale features anyway.
    joined = joined @ random_turn(joined.shape[1], settings.seed) / joined.std()
    kept = np.sort(texts.frequent(settings.words))
    tensors = {
        "keys": torch.from_numpy(keys[kept]),
        "rarity": parts[0].tensors["rarity"][kept],
        "vectors": torch.from_numpy(np.ascontiguousarray(joined[kept])),
        "fc.weight": torch.zeros(1, joined.shape[1]),
        "fc.bias": torch.zeros(1),
    }
    metadata = {**parts[0].metadata, "architecture": architecture_of(len(kept), joined.shape[1])}
    return Weights(tensors, metadata)


def _keys_of(parts: Sequence[Weights]) -> NDArray[np.int64]:
    keys = parts[0].tensors.get("keys")
    if any(
        "vectors" not in part.tensors or keys is None or not torch.equal(part.tensors["keys"], keys) for part in parts
    ):
        raise BadWeights(
            "only tables of vectors of the same words can be joined; pretrain them on the same corpus with the same min_count"
        )
    assert keys is not None
    return keys.numpy()


def _tables(tensors: Mapping[str, torch.Tensor]) -> tuple[Matrix, Matrix]:
    vectors = tensors["vectors"].numpy()
    return vectors, vectors * tensors["rarity"].numpy()[:, None]


class _Texts:
    """The sentences of a corpus as shares of words."""

    def __init__(self, numbered: Numbered, keys: NDArray[np.int64]) -> None:
        own = np.array([key_of(word) for word in numbered.vocabulary.words], np.int64)
        places = np.searchsorted(keys, own)
        if not np.array_equal(keys[np.minimum(places, len(keys) - 1)], own):
            raise BadWeights("the parts have other words than the corpus; pretrain them on it with the same min_count")
        self._order = places
        lengths = numbered.lengths
        shares = np.repeat(1 / np.maximum(lengths, 1), lengths).astype(np.float32)
        shape = (len(lengths), len(keys))
        self._shares = sparse.csr_matrix((shares, places[numbered.words], numbered.starts), shape)
        self._filled = lengths > 0
        pairs = numbered.neighbours(1)
        self._first, self._second = pairs[:, 0], pairs[:, 1]

    def frequent(self, count: int) -> NDArray[np.int64]:
        """The places of the most frequent words, int64 [count]."""
        return self._order[:count].astype(np.int64)

    def slow(self, table: Matrix, power: float) -> Matrix:
        """The directions of a table, float32 [D, D], scaled by a power of the correlation between neighbours."""
        means = self._means(table)
        size, turned = np.linalg.eigh(means[self._filled].T @ means[self._filled] / self._filled.sum())
        whitening = turned / np.sqrt(np.maximum(size, _LEAST * size.max()))
        shared = means[self._first].T @ means[self._second] / len(self._first)
        alike, directions = np.linalg.eigh(whitening.T @ (shared + shared.T) / 2 @ whitening)
        scaled: Matrix = whitening @ directions * np.maximum(alike, _LEAST_SHARED) ** power
        return scaled.astype(np.float32)

    def scaled(self, table: Matrix) -> Matrix:
        """A table whose means of sentences have the variance 1, over all dimensions together."""
        scaled: Matrix = table / np.sqrt(self._means(table)[self._filled].var(0).mean())
        return scaled

    def components(self, table: Matrix, count: int) -> Matrix:
        """The principal components of the sentences' means, float32 [D, count]."""
        means = self._means(table)[self._filled]
        _, turned = np.linalg.eigh(means.T @ means)
        first: Matrix = turned[:, ::-1][:, :count]
        return np.ascontiguousarray(first)

    def _means(self, table: Matrix) -> Matrix:
        means = self._shares @ table
        centred: Matrix = means - means[self._filled].mean(0)
        return centred


def random_turn(dim: int, seed: int) -> Matrix:
    """A random rotation, float32 [dim, dim]."""
    turned, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((dim, dim)))
    return turned.astype(np.float32)
