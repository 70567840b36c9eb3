"""Permutation tests of two samples: the share of random regroupings of all rows that differ at least as much as the real grouping.

If both samples are drawn alike, a p-value of at most p occurs with probability at most p, for any rows and any number of them (Phipson and Smyth,
"Permutation P-values Should Never Be Zero", Statistical Applications in Genetics and Molecular Biology 2010).
"""

import numpy as np
from numpy.typing import NDArray

from thaw.drift.observed import Floats

ROUNDING = 1e-5
"""A relative tolerance: statistics that differ by no more count as equal, and so against a difference."""


def regroupings(first: int, second: int, count: int, seed: int) -> Floats:
    """Groupings of `first` + `second` rows into a first sample of `first` rows and a second sample: 1 for the first, float32 [first + second, 1 + count].

    Column 0 is the real grouping, with the rows of the first sample first; the other columns are random.
    """
    real = np.zeros(first + second, np.float32)
    real[:first] = 1
    columns = np.tile(real, (1 + count, 1))
    columns[1:] = np.random.default_rng(seed).permuted(columns[1:], axis=1)
    return np.ascontiguousarray(columns.T)


def p_value(statistics: NDArray[np.float64]) -> float:
    """The share of groupings whose statistic is at least the real one's, the real one included; statistics: float64 [1 + count] in the columns' order."""
    real = statistics[0]
    return float((statistics >= real - ROUNDING * abs(real)).mean())
