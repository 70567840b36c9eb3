"""Whether the challenger becomes the champion: a paired test on the same test rows, by the rule of `params.yaml`."""

from dataclasses import dataclass

import numpy as np

from thaw.bootstrap import IntArray, Resampling
from thaw.comparison import PairedComparison, compare
from thaw.params import PromotionParams
from thaw.predictions import Predictions


@dataclass(frozen=True)
class Decision:
    """Promote or not, the reason in one sentence, and the figures behind it (None where there was nothing to compare)."""

    promote: bool
    reason: str
    comparison: PairedComparison | None = None


def decide(champion: Predictions | None, challenger: Predictions, params: PromotionParams) -> Decision:
    """Compare both on the test rows that both have predictions of, by digest; the label is the challenger's.

    `not_worse` promotes where the interval of the macro-F1 gain lies above `-margin` and McNemar's test does not find the challenger worse;
    `better` where that interval lies above 0 and McNemar's test finds a difference. Fewer than `min_rows` rows decide nothing.
    """
    if champion is None:
        return Decision(True, "there is no champion yet, so the first version becomes it")
    first, second, targets = _in_common(challenger, champion)
    if len(targets) < params.min_rows:
        return Decision(
            False,
            f"only {len(targets)} test rows are common to both, and promotion.min_rows asks for {params.min_rows}; label more test images",
        )
    compared = compare(first, second, targets, Resampling(params.bootstrap, params.confidence))
    return _by_rule(compared, params)


def _by_rule(compared: PairedComparison, params: PromotionParams) -> Decision:
    gain = compared.macro_f1_difference
    differ = compared.mcnemar_p < 1 - params.confidence
    found = (
        f"macro F1 {gain.value:+.3f} ({gain.low:+.3f} to {gain.high:+.3f}), right where the other is wrong "
        f"{compared.only_first} to {compared.only_second}, McNemar p {compared.mcnemar_p:.2g}, on {compared.n} rows"
    )
    if params.rule == "better":
        better = gain.low > 0 and differ
        return Decision(better, f"the challenger is {'' if better else 'not shown to be '}better: {found}", compared)
    not_worse = gain.low > -params.margin and not (differ and compared.only_first < compared.only_second)
    verdict = "is not worse" if not_worse else f"may be worse by more than {params.margin:g}"
    return Decision(not_worse, f"the challenger {verdict}: {found}", compared)


def _in_common(challenger: Predictions, champion: Predictions) -> tuple[IntArray, IntArray, IntArray]:
    """What each says of the rows that both have, and their labels, as indices into one list of class names: int64 [N] each."""
    names = sorted({*challenger.class_names, *champion.class_names})
    numbers = {name: number for number, name in enumerate(names)}
    own = np.array([numbers[name] for name in challenger.class_names], np.int64)
    other = np.array([numbers[name] for name in champion.class_names], np.int64)
    row_of = {digest: row for row, digest in enumerate(champion.digests)}
    rows = np.array([row for row, digest in enumerate(challenger.digests) if digest in row_of], np.int64)
    theirs = np.array([row_of[challenger.digests[row]] for row in rows], np.int64)
    return own[challenger.predicted[rows]], other[champion.predicted[theirs]], own[challenger.targets[rows]]
