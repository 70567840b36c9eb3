"""Suspect labels: confident learning (Northcutt, Jiang and Chuang 2021) on probabilities by heads that never saw the label."""

import warnings

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from thaw.targets.suspect import Suspect


def find_suspects(probabilities: Tensor, targets: Tensor) -> list[Suspect]:
    """The rows whose label cleanlab holds for wrong (prune by noise rate), those of the lowest quality first.

    probabilities: float [N, C], by heads that were fitted without the row. targets: int64 [N], the given labels.
    """
    if not len(targets):
        return []
    shares, given = probabilities.double().numpy(), targets.numpy()
    return [_suspect(row, shares[row], int(given[row])) for row in suspect_rows(shares, given)]


def suspect_rows(shares: NDArray[np.float64], given: NDArray[np.int64]) -> list[int]:
    """The rows, those of the lowest quality first. shares: [N, C]; given: [N]."""
    from cleanlab.filter import find_label_issues  # a second of imports

    # One process: cleanlab would start more on Linux for tables that take it milliseconds.
    with warnings.catch_warnings(
        action="ignore", category=UserWarning
    ):  # of classes with too few rows to judge, which is no news
        rows = find_label_issues(given, shares, return_indices_ranked_by="self_confidence", n_jobs=1)
    return [int(row) for row in rows]


def _suspect(row: int, shares: NDArray[np.float64], given: int) -> Suspect:
    suggested = int(shares.argmax())
    return Suspect(row, (suggested,), float(shares[suggested]), float(shares[given]))
