"""The gate `paired test`: the challenger must be better, or not worse, on the same test rows, by the rule of `params.yaml`."""

from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from thaw.foundation.statistics.bootstrap import FloatArray, Resampling, bootstrap, percentile_interval, stacked, totals
from thaw.foundation.statistics.clustered import unless_single
from thaw.gates.outcome import Outcome, cannot_tell, failed, passed
from thaw.gates.pairing import Paired
from thaw.targets.label_sets.metrics import counts_of, macro_f1_of_sets
from thaw.targets.paired import paired_p

GATE = "paired test"


@dataclass(frozen=True)
class Figures:
    """The figures of the test over `rows` test rows in common; gains are the challenger's over the champion.

    The challenger alone is right on `only_challenger` rows, the champion alone on `only_champion`. `mcnemar_p` is two-sided. `f1` is macro F1, and
    `f1_low` to `f1_high` is the paired interval of its gain. With label sets a row is right if its whole set is, and the accuracies are exact matches.
    groups: of the rows; None: each row is its own. With groups `mcnemar_p` is that of `paired_p`.
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
    groups: int | None = None

    @property
    def numbers(self) -> dict[str, float]:
        """The figures by name, as they are written, without those that there are not."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def measure(paired: Paired, resampling: Resampling) -> Figures:
    """Compare both; the same predictions give the same figures. The interval resamples the same rows, or groups, for both (paired percentile
    bootstrap)."""
    targets, challenger, champion = paired.targets, paired.challenger.named, paired.champion.named
    statistics = stacked([counts_of(challenger, targets), counts_of(champion, targets)])

    def gain(sums: FloatArray) -> FloatArray:
        first, second = np.split(sums, 2)
        return (macro_f1_of_sets(*np.split(first, 3)) - macro_f1_of_sets(*np.split(second, 3)))[None]

    value = float(gain(totals(statistics))[0, 0])
    replicates = bootstrap(statistics, gain, resampling, paired.groups)[0]
    interval = percentile_interval(value, replicates, resampling.confidence)
    interval = unless_single(interval, paired.groups, -1.0, 1.0)
    right, theirs = paired.rights
    alone, theirs_alone = int((right & ~theirs).sum()), int((theirs & ~right).sum())
    return Figures(
        rows=len(targets),
        champion_accuracy=float(theirs.mean()),
        challenger_accuracy=float(right.mean()),
        only_challenger=alone,
        only_champion=theirs_alone,
        mcnemar_p=paired_p(right, theirs, paired.groups),
        f1_gain=interval.value,
        f1_low=interval.low,
        f1_high=interval.high,
        groups=None if paired.groups is None else len(np.unique(paired.groups)),
    )


@dataclass(frozen=True)
class Rule:
    """The rule of the test: `promotion.rule`, the margin, the confidence of intervals, and the level at which a challenger may be called better."""

    name: Literal["better", "not_worse"]
    margin: float
    confidence: float
    level: float


def is_better(figures: Figures, rule: Rule) -> bool:
    """Whether the challenger is shown to be better: McNemar's test says so at the level that the wear of the rows allows, and the interval lies above 0."""
    return figures.only_challenger > figures.only_champion and figures.mcnemar_p < rule.level and figures.f1_low > 0


def paired_test(figures: Figures, rule: Rule, right: str) -> Outcome:
    """The outcome by `promotion.rule`; a test that can't tell refuses. `right` is the name of the share of right rows.

    `not_worse` passes if the interval of the macro-F1 gain lies above `-margin` and McNemar's test does not find the challenger worse. `better` passes if
    the challenger is shown to be better. Both fail if McNemar's test finds the challenger worse, or if the whole interval lies beyond the margin. Otherwise
    the rows do not decide.
    """
    margin = 0.0 if rule.name == "better" else rule.margin
    differ = figures.mcnemar_p < 1 - rule.confidence
    worse = (differ and figures.only_challenger < figures.only_champion) or figures.f1_high < -margin
    comparison, numbers = _comparison(figures, right), figures.numbers
    if worse:
        return failed(GATE, f"the challenger is worse: {comparison}", numbers)
    if is_better(figures, rule):
        return passed(GATE, f"the challenger is better: {comparison}", numbers)
    if rule.name == "better":
        return cannot_tell(GATE, f"the challenger is not shown to be better: {comparison}", numbers, refuses=True)
    if figures.f1_low > -margin:
        return passed(GATE, f"the challenger is not worse by more than {margin:.3g}: {comparison}", numbers)
    return cannot_tell(
        GATE, f"the challenger may be worse by more than {margin:.3g}: {comparison}", numbers, refuses=True
    )


def _comparison(figures: Figures, right: str) -> str:
    grouped = "" if figures.groups is None else f" of {figures.groups} groups"
    test = "McNemar p" if figures.groups is None else "p by group"
    return (
        f"on {figures.rows} test rows{grouped} in common its {right} is {figures.challenger_accuracy:.3f} against {figures.champion_accuracy:.3f}, "
        f"it alone is right on {figures.only_challenger} and the champion alone on {figures.only_champion} "
        f"({test} {figures.mcnemar_p:.2g}), and its macro F1 differs by {figures.f1_gain:+.3f} "
        f"({figures.f1_low:+.3f} to {figures.f1_high:+.3f})"
    )
