"""Where a network looked: how far the log-odds of an answer fall when a place of the example is veiled.

Source: Zeiler and Fergus, "Visualizing and understanding convolutional networks", ECCV 2014, section 4.2 (occlusion). It needs answers alone and no gradients,
so it is the same for every network and engine, with a fine-tuned network or without a backbone, and the same example gives the same map.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from thaw.kinds.batches import Batch
from thaw.kinds.kind import Preview, Veiling

MOST_ANSWERS = 50
"""The cost of a map: the whole example, and each of its places veiled."""


@dataclass(frozen=True, eq=False)
class Gaze:
    """drops: float64 [rows, columns, C], the fall of each class's log-odds where the place is veiled; it is positive if the place speaks for the class. whole:
    float64 [C], the log-odds of the whole example."""

    drops: NDArray[np.float64]
    whole: Tensor

    def strengths(self, place: int) -> NDArray[np.float64]:
        """The drops of the class of that place, relative to the strongest: float64 [rows, columns] from -1 to 1."""
        drops = self.drops[..., place]
        largest = float(np.abs(drops).max())
        return drops / largest if largest > 0 else drops


@dataclass(frozen=True, eq=False)
class Looked:
    """The map of an example, with the prepared example and its kind, which draws it."""

    gaze: Gaze
    example: Batch
    kind: Veiling

    def drawn(self, place: int) -> Preview:
        """The example under the map of the class of that place."""
        return self.kind.map_preview(self.example, self.gaze.strengths(place))


def look(example: Batch, kind: Veiling, log_odds: Callable[[Sequence[Batch]], Tensor]) -> Gaze:
    """The map of a prepared example. log_odds: a function from prepared examples to float64 [N, C]."""
    veils = kind.veiled(example)
    odds = log_odds([example, *veils.without])
    drops = (odds[0] - odds[1:]).numpy().astype(np.float64)
    return Gaze(drops.reshape(veils.rows, veils.columns, -1), odds[0])
