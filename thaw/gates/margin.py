"""The margin of promotions: the loss that `not_worse` accepts. A test set can rule out a small loss only if it has many rows.

All figures are of two equal models: nightly versions of one pipeline differ on about a third as many rows as each has wrong. The interval is that of the gate
`anchor`.
"""

import math

from scipy.special import ndtri

from thaw.foundation.statistics.paired_proportions import paired_share_interval
from thaw.gates.wear import Wear
from thaw.params.sections import PromotionParams

LEAST = 0.01
"""The default margin of a large test set."""
POWER = 0.8
"""The probability that an equal challenger passes, on rows that have judged nothing yet."""
_DIFFERING = 1 / 3
"""The rows on which two equal models differ, as a share of the rows that one has wrong."""
_MANY = 10_000


def resolvable(rows: int, wrong: float, confidence: float) -> float:
    """The least loss that `rows` test rows without a judgement rule out for an equal model, with probability `POWER`. wrong: the share of rows that a model has
    wrong."""
    differing = _differing(rows, wrong)
    unlucky = math.ceil(float(ndtri(POWER)) * math.sqrt(differing))
    return _ruled_out(rows, differing, math.ceil((differing + unlucky) / 2), Wear(rows, 0, confidence))


def margin_of(params: PromotionParams, rows: int, wrong: float, confidence: float) -> float:
    """`promotion.margin`; if it is null, what the rows can resolve, at least `LEAST`."""
    if params.margin is not None:
        return params.margin
    return max(LEAST, math.ceil(1000 * resolvable(rows, wrong, confidence)) / 1000)


def rows_for(margin: float, wrong: float, confidence: float) -> int:
    """The least number of test rows that resolve `margin`, rounded up to two digits."""
    low, high = 1, 2
    while resolvable(high, wrong, confidence) > margin:
        low, high = high, 2 * high
    while high - low > max(1, low // 100):
        middle = (low + high) // 2
        low, high = (middle, high) if resolvable(middle, wrong, confidence) > margin else (low, middle)
    unit = int(10 ** max(0, len(str(high)) - 2))
    return math.ceil(high / unit) * unit


def judgements_left(wear: Wear, wrong: float, margin: float) -> int:
    """The number of further judgements before new test labels are due: until a model that is as good on these rows can't be shown to be so; `_MANY` at most."""
    low, high = 0, _MANY
    while low < high:
        middle = (low + high) // 2
        later = Wear(wear.rows, wear.judged + 1 + middle, wear.confidence)
        low, high = (middle + 1, high) if _is_resolved(later, wrong, margin) else (low, middle)
    return low


def _is_resolved(wear: Wear, wrong: float, margin: float) -> bool:
    differing = _differing(wear.rows, wrong)
    return _ruled_out(wear.rows, differing, differing - differing // 2, wear) <= margin


def _differing(rows: int, wrong: float) -> int:
    return max(2, math.ceil(_DIFFERING * wrong * rows))


def _ruled_out(rows: int, differing: int, lost: int, wear: Wear) -> float:
    """The loss that is ruled out if the challenger alone is wrong on `lost` of the rows that differ."""
    return -paired_share_interval(differing - lost, lost, max(rows, differing), 1 - 2 * wear.level).low
