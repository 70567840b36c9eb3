"""The gate `paired test`: whether the challenger is better, or not worse, on the same test rows, by the rule of `params.yaml`."""

from dataclasses import asdict, dataclass

import numpy as np

from thaw.foundation.statistics.bootstrap import FloatArray, Resampling, bootstrap, percentile_interval, stacked, totals
from thaw.gates.outcome import Outcome, cannot_tell, failed, passed
from thaw.gates.pairing import Paired
from thaw.params.sections import PromotionParams
from thaw.targets.label_sets.metrics import counts_of, macro_f1_of_sets
from thaw.targets.paired import mcnemar

GATE = "paired test"


@dataclass(frozen=True)
class Figures:
    """What the test rests on, over `rows` test rows in common; gains are the challenger's over the champion.

    `only_challenger` rows are right by the challenger alone, `only_champion` by the champion alone; `mcnemar_p` is two-sided; `f1` is macro F1,
    `f1_low` to `f1_high` the paired interval of its gain. Of label sets a row is right whose whole set is, and the accuracies are exact matches.
    """

    rows: int
    champion_accuracy: float
    challenger_accuracy: float
    only_challenger: int
    only_champion: int
    mcnemar_p: float
    f1_gain: float
    f1_low: float
    f1_high: float


def measure(paired: Paired, resampling: Resampling) -> Figures:
    """Compare both; the same predictions give the same figures. The intervals resample rows, the same ones for both (paired percentile bootstrap)."""
    targets, challenger, champion = paired.targets, paired.challenger.named, paired.champion.named
    statistics = stacked([counts_of(challenger, targets), counts_of(champion, targets)])

    def gain(sums: FloatArray) -> FloatArray:
        first, second = np.split(sums, 2)
        return (macro_f1_of_sets(*np.split(first, 3)) - macro_f1_of_sets(*np.split(second, 3)))[None]

    value = float(gain(totals(statistics))[0, 0])
    replicates = bootstrap(statistics, gain, resampling)[0]
    interval = percentile_interval(value, replicates, resampling.confidence)
    right, theirs = (challenger == targets).all(1), (champion == targets).all(1)
    alone, theirs_alone = int((right & ~theirs).sum()), int((theirs & ~right).sum())
    return Figures(
        rows=len(targets),
        champion_accuracy=float(theirs.mean()),
        challenger_accuracy=float(right.mean()),
        only_challenger=alone,
        only_champion=theirs_alone,
        mcnemar_p=mcnemar(alone, theirs_alone),
        f1_gain=interval.value,
        f1_low=interval.low,
        f1_high=interval.high,
    )


def paired_test(figures: Figures, params: PromotionParams, right: str, confidence: float) -> Outcome:
    """By `promotion.rule`; what can't be told refuses. `right` is what the share of rows that are right is called.

    `not_worse` passes where the interval of the macro-F1 gain lies above `-margin` and McNemar's test does not find the challenger worse; `better` where
    that interval lies above 0 and McNemar's test finds a difference. It fails where McNemar's test finds the challenger worse, or the interval lies
    beyond the margin as a whole; else the rows do not show which.
    """
    differ = figures.mcnemar_p < 1 - confidence
    margin = 0.0 if params.rule == "better" else params.margin
    worse = (differ and figures.only_challenger < figures.only_champion) or figures.f1_high < -margin
    found, numbers = _found(figures, right), asdict(figures)
    if worse:
        return failed(GATE, f"the challenger is worse: {found}", numbers)
    if figures.f1_low > -margin and (differ or params.rule == "not_worse"):
        verdict = "is better" if params.rule == "better" else "is not worse"
        return passed(GATE, f"the challenger {verdict}: {found}", numbers)
    verdict = "is not shown to be better" if params.rule == "better" else f"may be worse by more than {margin:g}"
    return cannot_tell(GATE, f"the challenger {verdict}: {found}", numbers, refuses=True)


def _found(figures: Figures, right: str) -> str:
    return (
        f"on {figures.rows} test rows in common its {right} is {figures.challenger_accuracy:.3f} against {figures.champion_accuracy:.3f}, "
        f"it alone is right on {figures.only_challenger} and the champion alone on {figures.only_champion} "
        f"(McNemar p {figures.mcnemar_p:.2g}), and its macro F1 differs by {figures.f1_gain:+.3f} "
        f"({figures.f1_low:+.3f} to {figures.f1_high:+.3f})"
    )
