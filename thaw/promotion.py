"""Whether the challenger becomes the champion: a paired test on the same test rows, by the rule of `params.yaml`."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thaw.bootstrap import IntArray, Resampling
from thaw.comparison import compare
from thaw.params import PromotionParams
from thaw.predictions import Predictions


@dataclass(frozen=True)
class Figures:
    """What a decision rests on, over `rows` test rows in common; gains are the challenger's over the champion.

    `only_challenger` rows are right by the challenger alone, `only_champion` by the champion alone; `mcnemar_p` is two-sided; `f1` is macro F1,
    `f1_low` to `f1_high` the paired interval of its gain.
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


@dataclass(frozen=True)
class Decision:
    """Promote or not, the reason in one sentence, and the figures behind it (None where there was nothing to compare)."""

    promote: bool
    reason: str
    figures: Figures | None = None


@dataclass(frozen=True)
class _Common:
    """What each says of the rows that both have, and their labels: int64 [N] each, indices into one list of class names."""

    challenger: IntArray
    champion: IntArray
    targets: IntArray


def decide(champion: Predictions | None, challenger: Predictions, params: PromotionParams) -> Decision:
    """Compare both on the test rows that both have predictions of.

    Rows are matched by digest, each counts once, and the label is the challenger's. `not_worse` promotes where the interval of the macro-F1 gain
    lies above `-margin` and McNemar's test does not find the challenger worse; `better` where that interval lies above 0 and McNemar's test
    finds a difference. Fewer than `min_rows` rows in common promote nothing. The same predictions give the same decision.
    """
    if champion is None:
        return Decision(True, "there is no champion yet, so the first version becomes it")
    common = _in_common(champion, challenger)
    if len(common.targets) < params.min_rows:
        return Decision(False, too_few(len(common.targets), params.min_rows))
    figures = _figures(common, params)
    return by_rule(figures, params, "accuracy")


def too_few(rows: int, wanted: int) -> str:
    """Why so few rows in common decide nothing."""
    have = "no test row is" if rows == 0 else "only 1 test row is" if rows == 1 else f"only {rows} test rows are"
    return f"{have} common to both, and promotion.min_rows asks for {wanted}; keep the test images, and label more"


def _figures(common: _Common, params: PromotionParams) -> Figures:
    compared = compare(
        common.challenger, common.champion, common.targets, Resampling(params.bootstrap, params.confidence)
    )
    gain = compared.macro_f1_difference
    return Figures(
        rows=compared.n,
        champion_accuracy=float((common.champion == common.targets).mean()),
        challenger_accuracy=float((common.challenger == common.targets).mean()),
        only_challenger=compared.only_first,
        only_champion=compared.only_second,
        mcnemar_p=compared.mcnemar_p,
        f1_gain=gain.value,
        f1_low=gain.low,
        f1_high=gain.high,
    )


def by_rule(figures: Figures, params: PromotionParams, measure: str) -> Decision:
    """The decision by `promotion.rule`; `measure` is what the share of rows that are right is called."""
    differ = figures.mcnemar_p < 1 - params.confidence
    if params.rule == "better":
        promote = figures.f1_low > 0 and differ
        verdict = "is better" if promote else "is not shown to be better"
    else:
        worse = differ and figures.only_challenger < figures.only_champion
        promote = figures.f1_low > -params.margin and not worse
        verdict = "is not worse" if promote else "is worse" if worse else f"may be worse by more than {params.margin:g}"
    return Decision(promote, f"the challenger {verdict}: {_found(figures, measure)}", figures)


def _found(figures: Figures, measure: str) -> str:
    return (
        f"on {figures.rows} test rows in common its {measure} is {figures.challenger_accuracy:.3f} against {figures.champion_accuracy:.3f}, "
        f"it alone is right on {figures.only_challenger} and the champion alone on {figures.only_champion} "
        f"(McNemar p {figures.mcnemar_p:.2g}), and its macro F1 differs by {figures.f1_gain:+.3f} "
        f"({figures.f1_low:+.3f} to {figures.f1_high:+.3f})"
    )


def _in_common(champion: Predictions, challenger: Predictions) -> _Common:
    names = sorted({*challenger.class_names, *champion.class_names})
    number = {name: index for index, name in enumerate(names)}
    own = np.array([number[name] for name in challenger.class_names], np.int64)
    other = np.array([number[name] for name in champion.class_names], np.int64)
    rows, theirs = first_rows(challenger.digests), first_rows(champion.digests)
    shared = [digest for digest in rows if digest in theirs]
    here = np.array([rows[digest] for digest in shared], np.int64)
    there = np.array([theirs[digest] for digest in shared], np.int64)
    return _Common(own[challenger.predicted[here]], other[champion.predicted[there]], own[challenger.targets[here]])


def first_rows(digests: Sequence[bytes]) -> dict[bytes, int]:
    """The first row of each digest: an image that lies in the test twice is no more evidence than once."""
    rows: dict[bytes, int] = {}
    for row, digest in enumerate(digests):
        rows.setdefault(digest, row)
    return rows
