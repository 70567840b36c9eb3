"""Suspect sets: confident learning on each class by itself, as a yes or no; a set is suspect where any of its decisions is."""

import numpy as np
from torch import Tensor

from thaw.targets.one_label.suspects import suspect_rows
from thaw.targets.suspect import Suspect


def find_suspects(probabilities: Tensor, targets: Tensor) -> list[Suspect]:
    """The rows with a class too many or too few, those of the lowest quality first; each suggests its set with all suspect decisions turned.

    probabilities: float [N, C], by heads that were fitted without the row. targets: bool [N, C], the given sets.
    """
    if not len(targets):
        return []
    shares, shown = probabilities.double().numpy(), targets.numpy()
    turned = np.zeros(shown.shape, np.bool_)
    for place in range(shown.shape[1]):
        both = np.stack([1 - shares[:, place], shares[:, place]], 1)
        turned[suspect_rows(both, shown[:, place].astype(np.int64)), place] = True
    qualities = np.where(turned, np.where(shown, shares, 1 - shares), np.inf).min(1)
    rows = np.flatnonzero(turned.any(1))
    suggested = shown ^ turned
    return [
        Suspect(
            int(row), tuple(np.flatnonzero(suggested[row]).tolist()), 1 - float(qualities[row]), float(qualities[row])
        )
        for row in rows[np.argsort(qualities[rows], kind="stable")]
    ]
