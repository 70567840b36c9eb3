"""Logistic regression on bags, such as the words of a text: rare entries weigh more (TF-IDF), fitted on the training rows alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from thaw.params.values.strategy import HeadKind

if TYPE_CHECKING:
    from scipy.sparse import csr_array

NOTHING = -1
"""The entry behind the end of a shorter bag."""
_NEVER = -2
"""An entry that no bag holds; a model knows one at least."""
_ITERATIONS = 300


def is_bag(features: Tensor) -> bool:
    """Whether features are bags, int32 [N, L]: the numbers of what each row holds, `NOTHING` behind the end."""
    return features.dtype == torch.int32


@dataclass(frozen=True, eq=False)
class BagModel:
    """A linear layer on weighted bags. entries: int32 [E], sorted, of the training rows; others are ignored. rarity: float64 [E], their inverse document
    frequency. weights: float64 [C, E]; bias: float64 [C]."""

    kind: ClassVar[HeadKind] = "linear"

    entries: NDArray[np.int32]
    rarity: NDArray[np.float64]
    weights: NDArray[np.float64]
    bias: NDArray[np.float64]

    def logits(self, features: Tensor) -> Tensor:
        """Bags int32 [N, L] -> float32 [N, C]."""
        rows = _weighted(_counts(features, self.entries), self.rarity)
        return torch.from_numpy(np.asarray(rows @ self.weights.T + self.bias)).float()


def fit_bags(features: Tensor, targets: Tensor, *, class_weights: Tensor, l2: Sequence[float]) -> list[BagModel]:
    """One model for each L2 strength, in their order; the arguments are those of `thaw.heads.logistic.fit_logistic`, with bags as features.

    The weight of an entry in a row is (1 + log of its count) x its inverse document frequency, and each row has length 1: Salton and Buckley, "Term-weighting
    approaches in automatic text retrieval", 1988, by scikit-learn.
    """
    entries = entries_in(features)
    counts = _counts(features, entries)
    rarity = np.log((1 + len(features)) / (1 + np.bincount(counts.indices, minlength=len(entries)))) + 1
    rows = _weighted(counts, rarity)
    return [
        BagModel(entries, rarity, *_layer(rows, targets.numpy(), class_weights.double().numpy(), strength))
        for strength in l2
    ]


def entries_in(features: Tensor) -> NDArray[np.int32]:
    """The different entries of bags int32 [N, L], sorted: int32 [E], E > 0."""
    entries = np.unique(features.numpy())
    entries = entries[entries != NOTHING]
    return entries if len(entries) else np.array([_NEVER], np.int32)


def _weighted(counts: csr_array, rarity: NDArray[np.float64]) -> csr_array:
    """The weights of the entries in each row, of length 1; counts: sparse [N, E], each entry once in a row."""
    from scipy.sparse import csr_array

    rows = csr_array(counts, copy=True)
    rows.data = (1 + np.log(rows.data)) * rarity[rows.indices]
    own = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    rows.data /= np.sqrt(np.bincount(own, rows.data**2, minlength=rows.shape[0]))[own]
    return rows


def _counts(features: Tensor, entries: NDArray[np.int32]) -> csr_array:
    from scipy.sparse import csr_array

    bags = features.numpy()
    places = np.searchsorted(entries, bags).clip(max=len(entries) - 1)
    known = (bags != NOTHING) & (entries[places] == bags)
    row = np.nonzero(known)[0]
    counts = csr_array((np.ones(len(row)), (row, places[known])), shape=(len(bags), len(entries)))
    counts.sum_duplicates()
    return counts


def _layer(
    rows: Any, targets: NDArray[Any], class_weights: NDArray[np.float64], strength: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights [C, E] and bias [C]."""
    if targets.ndim == 1:
        weights, bias = _fit(rows, targets, class_weights[targets], strength)
        if len(weights) > 1:
            return weights, bias
        # Of two classes scikit-learn has one row of weights, for the second.
        return np.concatenate([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    columns = list(_columns(rows, targets, class_weights, strength))
    return np.concatenate([weights for weights, _ in columns]), np.concatenate([bias for _, bias in columns])


def _columns(
    rows: Any, targets: NDArray[Any], class_weights: NDArray[np.float64], strength: float
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """A yes or no for each class."""
    for number, shown in enumerate(targets.T.astype(np.int64)):
        yield _fit(rows, shown, class_weights[shown, number], strength)


def _fit(
    rows: Any, targets: NDArray[Any], row_weights: NDArray[np.float64], strength: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1 / (row_weights.sum() * strength), max_iter=_ITERATIONS)
    model.fit(rows, targets, sample_weight=row_weights)
    return model.coef_, model.intercept_
