"""Drift of a model's answers: of the classes that it names, of its confidence, and of its share of `neither`."""

import numpy as np
from numpy.typing import NDArray

from thaw.drift.observed import Bools, Floats
from thaw.drift.permutation import regroupings
from thaw.foundation.statistics.bootstrap import Estimate


def label_shift(first: Bools, second: Bools, count: int, seed: int) -> NDArray[np.float64]:
    """Pearson's chi-squared of sample by class, [M, C] and [N, C], and of `count` regroupings: float64 [1 + count].

    With one class a row it is the statistic of the usual table. With sets of classes its distribution differs; the regroupings of whole rows allow for that.
    """
    m, n = len(first), len(second)
    named = np.concatenate([first, second]).astype(np.float32)
    named = named[:, named.any(0)]
    share = named.mean(0, dtype=np.float64)[:, None]
    counted = named.T @ regroupings(m, n, count, seed)
    return np.asarray(((counted - m * share) ** 2 / share).sum(0) * (1 / m + 1 / n), np.float64)


def confidence_shift(first: Floats, second: Floats, count: int, seed: int) -> NDArray[np.float64]:
    """The Kolmogorov-Smirnov distance of the samples, [M] and [N], and of `count` regroupings: float64 [1 + count]."""
    m, n = len(first), len(second)
    confidences = np.concatenate([first, second])
    order = confidences.argsort(kind="stable")
    last_of_a_tie = np.append(np.diff(confidences[order]) > 0, True)
    below = regroupings(m, n, count, seed)[order].cumsum(0)[last_of_a_tie]
    rows = np.arange(1, m + n + 1)[last_of_a_tie, None]
    return np.asarray(np.abs(below / m - (rows - below) / n).max(0), np.float64)


def neither_shift(first: Bools, second: Bools) -> float:
    """The p-value of Fisher's exact test, two-sided; hypothesis: both samples, bool [M] and [N], are accepted equally often."""
    from scipy.stats import fisher_exact

    table = [[int(sample.sum()), int((~sample).sum())] for sample in (first, second)]
    return float(fisher_exact(table).pvalue)


def share_of(chosen: Bools, confidence: float) -> Estimate:
    """The share of true rows, bool [N], with its interval by Clopper and Pearson ("The use of confidence or fiducial limits", Biometrika 1934)."""
    from scipy.stats import binomtest

    test = binomtest(int(chosen.sum()), len(chosen))
    low, high = test.proportion_ci(confidence, method="exact")
    return Estimate(float(test.statistic), float(low), float(high))


def holm(p_values: list[float]) -> list[float]:
    """Adjusted p-values: the probability that any true hypothesis is rejected at p is at most p, over all tests together.

    The bound holds for any dependence between the tests. Source: Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of
    Statistics 1979. statsmodels has the same function, at 65 MB of files and 0.9 s of import.
    """
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted
