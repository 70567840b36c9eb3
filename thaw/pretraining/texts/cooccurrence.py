"""Word vectors of counts: how much more often two words stand near each other than by chance, in few dimensions.

Source: positive pointwise mutual information and its singular vectors, Levy, Goldberg and Dagan, "Improving Distributional Similarity with Lessons Learned from
Word Embeddings", TACL 2015, with their smoothed contexts (0.75) and the square root of the singular values. It takes seconds a million words.
"""

from collections.abc import Mapping
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from scipy import sparse
from torch import Tensor

from thaw.backbones.weights import Weights
from thaw.foundation.errors import BadParameters
from thaw.pretraining.texts.numbering import Numbered
from thaw.pretraining.texts.settings import EncoderSettings
from thaw.pretraining.texts.word_backbone import word_backbone

PIECE = 100_000
"""Sentences of a step."""
_SMOOTHING = 0.75
_ROUNDS = 2
"""Power iterations of the randomised decomposition (Halko, Martinsson and Tropp, SIAM Review 2011)."""


class Cooccurrence(EncoderSettings):
    """The settings of `cooccurrence`."""

    dim: Annotated[int, Field(ge=1, le=4096, description="dimensions of a vector")] = 150
    window: Annotated[
        int, Field(ge=1, le=100, description="words on each side that count, in a paragraph, nearer ones more")
    ] = 10
    sample: Annotated[
        float, Field(ge=0, description="words more frequent than this share count less; 0: all count alike")
    ] = 1e-4


class CooccurrenceTraining:
    """A `Training`: a step counts a piece of the corpus, and the last one makes the vectors."""

    def __init__(self, numbered: Numbered, settings: Cooccurrence) -> None:
        words = len(numbered.vocabulary.words)
        if settings.dim >= words:
            raise BadParameters(
                f"dim: {settings.dim} given, and the corpus has {words:,} words that are learnt; set it lower, or give more text"
            )
        self._numbered, self._settings = numbered, settings
        self._counts = sparse.csr_matrix((words, words), dtype=np.float32)
        self._vectors: NDArray[np.float32] | None = None
        self._paragraphs = np.cumsum(~numbered.follows)

    @property
    def steps(self) -> int:
        """See `Training`."""
        return -(-len(self._numbered.follows) // PIECE) + 1

    def step(self, number: int) -> None:
        """See `Training`; counting has no loss."""
        if number < self.steps - 1:
            self._counts += self._counted(number * PIECE)
        else:
            self._vectors = self._decomposed()

    def _counted(self, first: int) -> sparse.csr_matrix:
        """How often each word stands before each other word, nearer ones counting more, for the sentences from `first` on."""
        numbered, window = self._numbered, self._settings.window
        last = min(first + PIECE, len(numbered.follows))
        begin, end = int(numbered.starts[first]), int(numbered.starts[last])
        words = np.asarray(numbered.words[begin : end + window])
        # The paragraph of each word; held-out sentences are in none.
        paragraph = np.where(numbered.held_out, -1, self._paragraphs)
        reaching = slice(first, min(last + window + PIECE, len(numbered.follows)))
        own = np.repeat(paragraph[reaching], numbered.lengths[reaching])[: len(words)]
        found = sparse.csr_matrix(self._counts.shape, dtype=np.float32)
        for distance in range(1, window + 1):
            count = min(end - begin, len(words) - distance)
            near = (own[:count] == own[distance : distance + count]) & (own[:count] >= 0)
            pairs = words[:count][near], words[distance : distance + count][near]
            weights = np.full(int(near.sum()), 1 - (distance - 1) / window, np.float32)
            found += sparse.coo_matrix((weights, pairs), self._counts.shape).tocsr()
        return found

    def _decomposed(self) -> NDArray[np.float32]:
        from sklearn.utils.extmath import randomized_svd
        from threadpoolctl import threadpool_limits

        with threadpool_limits(self._settings.threads):
            vectors, sizes, _ = randomized_svd(
                self._information(), self._settings.dim, n_iter=_ROUNDS, random_state=self._settings.seed
            )
        scaled: NDArray[np.float32] = (vectors * np.sqrt(sizes)).astype(np.float32)
        return scaled

    def _information(self) -> sparse.csr_matrix:
        """The positive pointwise mutual information of words and contexts."""
        both = self._counts + self._counts.T
        kept = sparse.diags_array(self._kept().astype(np.float32))
        both = (kept @ both @ kept).tocoo()
        rows = np.asarray(both.sum(1)).ravel()
        contexts = rows**_SMOOTHING / (rows**_SMOOTHING).sum()
        row, column = both.coords
        information = np.log(np.maximum(both.data, 1e-30) / np.maximum(rows[row] * contexts[column], 1e-30))
        positive = information > 0
        pairs = row[positive], column[positive]
        found: sparse.csr_matrix = sparse.coo_matrix(
            (information[positive].astype(np.float32), pairs), both.shape
        ).tocsr()
        return found

    def _kept(self) -> NDArray[np.float64]:
        """The share of each word's places that counts (Mikolov et al., NeurIPS 2013, section 2.3, as word2vec computes it), float64 [V]."""
        shares = np.array(self._numbered.vocabulary.counts) / self._numbered.facts.words
        sample = self._settings.sample
        return np.minimum(1, np.sqrt(sample / shares) + sample / shares) if sample else np.ones(len(shares))

    def state(self) -> dict[str, Tensor]:
        """See `Training`."""
        counts = {name: torch.from_numpy(getattr(self._counts, name)) for name in ("data", "indices", "indptr")}
        return counts if self._vectors is None else counts | {"vectors": torch.from_numpy(self._vectors)}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """See `Training`."""
        parts = tuple(state[name].numpy() for name in ("data", "indices", "indptr"))
        self._counts = sparse.csr_matrix(parts, self._counts.shape)
        self._vectors = state["vectors"].numpy() if "vectors" in state else None

    def weights(self) -> Weights:
        """See `Training`: the network `word_vectors`."""
        assert self._vectors is not None
        vocabulary, running = self._numbered.vocabulary, self._numbered.facts.words
        return word_backbone(vocabulary, running, self._vectors, lowercase=self._settings.lowercase)
