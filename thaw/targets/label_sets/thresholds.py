"""The least probability at which a class is named: that of the best F1 on held-out rows."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

UNTUNED = 0.5
FEWEST = 1
"""The least number of rows with a class, and of rows without it, for the tuning of its threshold.

A noisy threshold is better than one half, which honest probabilities of a rare class seldom reach. On pairs of digits with 15, 25 and 40 training examples,
macro F1 was 0.30, 0.39 and 0.48 with `FEWEST` 1, against 0.11, 0.26 and 0.46 with 5.
"""


LEAST_F1 = 0.1
"""The least F1 on held-out rows for a threshold that names many of them.

Below it the ranking says nothing of the class, and the best F1 may be that of naming every row. On 1,500 comments with 28 emotions two classes with a few
examples were named on nearly all of 800 others. Source: Yang, "A study on thresholding strategies for text categorization", SIGIR 2001 (SCutFBR.1), and the
value: Fan and Lin, "A study on threshold selection for multi-label classification", 2007.
"""


def tune_thresholds(probabilities: Tensor, targets: Tensor) -> tuple[float, ...]:
    """A threshold for each class, in (0, 1); a class is named if its probability is at least the threshold.

    The threshold lies halfway between the lowest probability that should be named and the next one below. Of equal F1 the threshold nearest to 0.5 is taken.
    It is `UNTUNED` if fewer than `FEWEST` rows show the class, or fewer do not; it is the highest probability if the best F1 is below `LEAST_F1`.
    Source (thresholds by class): Lewis et al., "RCV1", JMLR 2004 (SCut).

    probabilities: float32 [N, C]. targets: bool [N, C].
    """
    columns = zip(probabilities.double().T.numpy(), targets.T.numpy(), strict=True)
    return tuple(_tune(column, shown) for column, shown in columns)


def _tune(probabilities: NDArray[np.float64], shown: NDArray[np.bool_]) -> float:
    positive = int(shown.sum())
    if min(positive, len(shown) - positive) < FEWEST:
        return UNTUNED
    order = np.argsort(-probabilities, kind="stable")
    ranked = probabilities[order]
    named = np.arange(1, len(ranked) + 1)
    f1 = 2 * np.cumsum(shown[order]) / (positive + named)
    below = np.append(ranked[1:], 0.0)
    middle = (ranked + below) / 2
    f1[ranked == below] = -1  # equal probabilities are named together
    if f1.max() < LEAST_F1:
        return float(np.clip(ranked[0], 1e-6, 1 - 1e-6))
    best = np.flatnonzero(f1 >= f1.max() - 1e-12)
    return float(np.clip(middle[best[np.abs(middle[best] - UNTUNED).argmin()]], 1e-6, 1 - 1e-6))
