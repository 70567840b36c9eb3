"""Where a network looked: how far the log-odds of an answer fall when a place of the example is veiled.

Source: Zeiler and Fergus, "Visualizing and understanding convolutional networks", ECCV 2014, section 4.2 (occlusion). It needs answers alone and no gradients,
so it is the same for every network and engine, with a fine-tuned network or without a backbone, and the same example gives the same map.
"""

from collections.abc import Callable, Sequence

from torch import Tensor

from thaw.kinds.batches import Batch
from thaw.kinds.kind import Veiling
from thaw.models.explanation import Explanation, Grid

MOST_ANSWERS = 50
"""The cost of a map: the whole example, and each of its places veiled."""


def look(example: Batch, kind: Veiling, log_odds: Callable[[Sequence[Batch]], Tensor]) -> Explanation:
    """The map of a prepared example. log_odds: a function from prepared examples to float64 [N, C]."""
    veils = kind.veiled(example)
    odds = log_odds([example, *veils.without])
    return Explanation(Grid(veils.rows, veils.columns, example, kind), odds[0] - odds[1:], odds[0])
