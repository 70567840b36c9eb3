"""Drift of inputs: a kernel two-sample test on features, and the scores of a classifier that separates the two samples."""

import numpy as np
from numpy.typing import NDArray

from thaw.drift.observed import Floats
from thaw.drift.permutation import regroupings

FOLDS = 5
STRENGTH = 1e-3
"""scikit-learn's C; it is small because there are far more standardised features than two samples need for their separation."""


def mmd(first: Floats, second: Floats, count: int, seed: int) -> NDArray[np.float64]:
    """The unbiased squared maximum mean discrepancy of the samples, [M, D] and [N, D], and of `count` regroupings: float64 [1 + count].

    The kernel is Gaussian; its width is the median distance of all rows, which no regrouping changes. The value is near 0 if both are drawn alike.
    Source: Gretton et al., "A Kernel Two-Sample Test", JMLR 2012: the statistic of Lemma 6 (section 2.2) with the width of section 8. Regroupings replace the
    asymptotic distribution of section 5. The time is O((M + N)^2 (D + count)): seconds at 2000 + 2000 rows of 1280.
    """
    m, n = len(first), len(second)
    kernel = gaussian_kernel(np.concatenate([first, second]))
    np.fill_diagonal(kernel, 0)
    ways = regroupings(m, n, count, seed)
    sums = kernel.sum(1, dtype=np.float64)
    within = np.einsum("ij,ij->j", ways, kernel @ ways, dtype=np.float64)
    crossing = sums @ ways - within
    rest = sums.sum() - 2 * crossing - within
    return np.asarray(within / (m * (m - 1)) + rest / (n * (n - 1)) - 2 * crossing / (m * n), np.float64)


def gaussian_kernel(rows: Floats) -> Floats:
    """exp(-d^2 / 2 s^2) of every pair, s the median distance of two rows: float32 [N, D] -> float32 [N, N]."""
    centred = rows - rows.mean(0)
    squares = np.einsum("ij,ij->i", centred, centred)
    distances = np.maximum(squares[:, None] + squares[None] - 2 * (centred @ centred.T), 0)
    width = np.median(distances[np.triu_indices(len(rows), 1)])
    return np.asarray(np.exp(distances / (-2 * width if width > 0 else -1)), np.float32)


def separation(first: Floats, second: Floats, seed: int) -> NDArray[np.float64]:
    """Scores of the rows by a linear classifier that did not learn from them, larger for rows like the second sample's: float64 [M + N].

    The rows of the first sample come first. The classifier is logistic regression on standardised features, out of fold.
    Source: Lopez-Paz and Oquab, "Revisiting Classifier Two-Sample Tests", ICLR 2017.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, class_weight="balanced"))
    folds = StratifiedKFold(min(FOLDS, len(first), len(second)), shuffle=True, random_state=seed)
    sample = np.repeat([0, 1], [len(first), len(second)])
    rows = np.concatenate([first, second])
    return np.asarray(cross_val_predict(classifier, rows, sample, cv=folds, method="decision_function"), np.float64)


def auroc(scores: NDArray[np.float64], first: int) -> float:
    """The share of pairs whose row of the second sample scores higher, ties by half; the first `first` scores are the first sample's."""
    from scipy.stats import rankdata

    second = len(scores) - first
    above = rankdata(scores)[first:].sum() - second * (second + 1) / 2
    return float(above / (first * second))
