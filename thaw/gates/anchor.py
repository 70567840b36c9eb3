"""The gate `anchor`: no champion may lie below the best champion so far by more than the margin, however many small losses came between.

A comparison with the present champion alone lets a model decline, because each challenger is only a little worse than the one before. So the best champion so
far is kept as an anchor, until a challenger is shown to be better.
"""

from dataclasses import dataclass

from thaw.foundation.statistics.bootstrap import Estimate
from thaw.foundation.statistics.paired_proportions import paired_hits_interval
from thaw.gates.outcome import Outcome, cannot_tell, failed, passed
from thaw.gates.pairing import Paired
from thaw.gates.wear import Wear
from thaw.targets.paired import paired_p

GATE = "anchor"


@dataclass(frozen=True)
class Distance:
    """The challenger's share of right rows minus the anchor's, with the interval that the wear of the rows allows. better: whether that shows the challenger
    to be better."""

    rows: int
    gain: Estimate
    better: bool


def distance(paired: Paired, wear: Wear) -> Distance:
    """The challenger against the anchor, which stands in the place of the champion.

    The interval is that of `paired_hits_interval`, one-sided at the level of the judgement.
    """
    right, before = paired.rights
    gain = paired_hits_interval(right, before, paired.groups, 1 - 2 * wear.level)
    better = gain.value > 0 and paired_p(right, before, paired.groups) < wear.level
    return Distance(len(paired), gain, better)


def anchor(measured: Distance, margin: float, right: str) -> Outcome:
    """The gate refuses unless the challenger is shown to lie at most `margin` below the anchor. `right` is the name of the share of right rows."""
    gain = measured.gain
    figures = {"gain": gain.value, "low": gain.low, "high": gain.high}
    measurement = f"on {measured.rows} test rows in common its {right} differs by {gain.value:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})"
    if gain.high < -margin:
        return failed(GATE, f"the challenger is worse than the best champion so far: {measurement}", figures)
    if gain.low < -margin:
        words = f"the challenger may be worse than the best champion so far by more than {margin:.3g}: {measurement}"
        return cannot_tell(GATE, words, figures, refuses=True)
    place = "is better than" if measured.better else f"lies at most {margin:.3g} below"
    return passed(GATE, f"the challenger {place} the best champion so far: {measurement}", figures)
