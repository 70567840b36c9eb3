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
    from sklearn.feature_extraction.text import TfidfTransformer

NOTHING = -1
"""The entry behind the end of a shorter bag."""
_ITERATIONS = 300


def is_bag(features: Tensor) -> bool:
    """Whether features are bags, int32 [N, L]: the numbers of what each row holds, `NOTHING` behind the end."""
    return features.dtype == torch.int32


@dataclass(frozen=True, eq=False)
class BagModel:
    """A linear layer on weighted bags. entries: int32 [E], sorted, of the training rows; others are ignored. weights: [C, E]; bias: [C]."""

    kind: ClassVar[HeadKind] = "linear"

    entries: NDArray[np.int32]
    weighting: TfidfTransformer
    weights: NDArray[np.float64]
    bias: NDArray[np.float64]

    def logits(self, features: Tensor) -> Tensor:
        """Bags int32 [N, L] -> float32 [N, C]."""
        rows = self.weighting.transform(_counts(features, self.entries))
        return torch.from_numpy(np.asarray(rows @ self.weights.T + self.bias)).float()


def fit_bags(features: Tensor, targets: Tensor, *, class_weights: Tensor, l2: Sequence[float]) -> list[BagModel]:
    """One model for each L2 strength, in their order; the arguments are those of `thaw.heads.logistic.fit_logistic`, with bags as features.

    The weight of an entry in a row is (1 + log of its count) x its inverse document frequency, and each row has length 1: Salton and Buckley, "Term-weighting
    approaches in automatic text retrieval", 1988, by scikit-learn.
    """
    from sklearn.feature_extraction.text import TfidfTransformer

    entries = np.unique(features.numpy())
    entries = entries[entries != NOTHING]
    weighting = TfidfTransformer(sublinear_tf=True)
    rows = weighting.fit_transform(_counts(features, entries))
    return [
        BagModel(entries, weighting, *_layer(rows, targets.numpy(), class_weights.double().numpy(), strength))
        for strength in l2
    ]


def _counts(features: Tensor, entries: NDArray[np.int32]) -> csr_array:
    from scipy.sparse import csr_array

    bags = features.numpy()
    places = np.searchsorted(entries, bags).clip(max=max(len(entries) - 1, 0))
    known = (bags != NOTHING) & (entries[places] == bags) if len(entries) else np.zeros(bags.shape, bool)
    row = np.nonzero(known)[0]
    return csr_array((np.ones(len(row)), (row, places[known])), shape=(len(bags), len(entries)))  # type: ignore[no-untyped-call]


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
