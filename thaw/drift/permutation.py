"""Permutation tests: of two samples, how often a random regrouping of all rows looks as different as the real one.

Where both samples are drawn alike, a p-value of at most p comes up with probability at most p, whatever the rows and however few (Phipson and Smyth,
"Permutation P-values Should Never Be Zero", Statistical Applications in Genetics and Molecular Biology 2010).
"""

import numpy as np
from numpy.typing import NDArray

from thaw.drift.observed import Floats

ROUNDING = 1e-5
"""Relative: statistics that differ by no more are equal, and count against a difference."""


def regroupings(first: int, second: int, count: int, seed: int) -> Floats:
    """Ways to put `first` + `second` rows into a first sample of `first` rows and a second one: 1 for the first, float32 [first + second, 1 + count].

    Column 0 is the real way, rows of the first sample first; the others are random.
    """
    real = np.zeros(first + second, np.float32)
    real[:first] = 1
    columns = np.tile(real, (1 + count, 1))
    columns[1:] = np.random.default_rng(seed).permuted(columns[1:], axis=1)
    return np.ascontiguousarray(columns.T)


def p_value(statistics: NDArray[np.float64]) -> float:
    """How often a regrouping's statistic is at least the real one's, itself counted: float64 [1 + count], as `regroupings` has the columns."""
    real = statistics[0]
    return float((statistics >= real - ROUNDING * abs(real)).mean())
