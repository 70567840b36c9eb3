"""The wear of test rows: each judgement on the same rows spends a part of the evidence that they hold.

Challengers of many nights are judged on one test set, and one of many equal challengers looks better by chance. So the judgements share one budget of errors,
1 minus the confidence: judgement number t may err with the share `HALF / ((t + HALF - 1) (t + HALF))` of it. The shares of all judgements add up to 1, however
many there are, so by the union bound the budget holds for a whole history.

Source: alpha-spending for an endless sequence of hypotheses, Foster and Stine, "Alpha-investing", Journal of the Royal Statistical Society B 2008; the reuse of
one test set, Blum and Hardt, "The Ladder: a reliable leaderboard for machine learning competitions", ICML 2015.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import ndtri

HALF = 30
"""The number of judgements that share the first half of the budget."""
SKETCH = 24
"""The number of digests in a sketch; a share of rows in common that is estimated from it has a standard error of at most 0.1."""
_LETTERS = 12


@dataclass(frozen=True)
class Judgement:
    """An earlier comparison of a challenger with a champion: the number of test rows in common, and their sketch; empty: not recorded, so taken as the same
    rows."""

    rows: int
    sketch: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wear:
    """The wear of `rows` test rows. judged: the number of earlier judgements of a row, on average. confidence: of all judgements together."""

    rows: int
    judged: float
    confidence: float

    @property
    def level(self) -> float:
        """The probability of an error that the present judgement may spend."""
        return (1 - self.confidence) * HALF / ((self.judged + HALF) * (self.judged + HALF + 1))

    @property
    def left(self) -> float:
        """The share of the budget that is left after the present judgement."""
        return HALF / (self.judged + 1 + HALF)

    @property
    def fresh_rows(self) -> int:
        """The number of rows without a judgement that could show as small a difference as these rows can."""
        return math.floor(self.rows * (_critical(Wear(self.rows, 0, self.confidence)) / _critical(self)) ** 2)


def wear_of(digests: Sequence[bytes], earlier: Sequence[Judgement], confidence: float) -> Wear:
    """The wear of the rows with these digests by the judgements before."""
    own = Judgement(len(digests), sketch_of(digests))
    return Wear(len(digests), sum(_share_in(own, judgement) for judgement in earlier), confidence)


def sketch_of(digests: Sequence[bytes]) -> tuple[str, ...]:
    """The `SKETCH` smallest digests, each cut to 12 hex letters; two sketches tell the share of rows in common.

    Source: Broder, "On the resemblance and containment of documents", Compression and Complexity of Sequences 1997 (bottom-k sketch).
    """
    return tuple(sorted({digest.hex()[:_LETTERS] for digest in digests})[:SKETCH])


def _share_in(own: Judgement, other: Judgement) -> float:
    """The estimated share of our rows that are among the others'."""
    if not other.sketch or not own.sketch:
        return 1.0
    smallest = sorted({*own.sketch, *other.sketch})[:SKETCH]
    resemblance = len({*smallest} & {*own.sketch} & {*other.sketch}) / len(smallest)
    return min(1.0, resemblance * (own.rows + other.rows) / ((1 + resemblance) * own.rows))


def _critical(wear: Wear) -> float:
    return -float(ndtri(wear.level))
