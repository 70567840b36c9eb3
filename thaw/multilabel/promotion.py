"""Whether a challenger that names label sets becomes the champion: macro F1, paired on the same test rows."""

import numpy as np

from thaw.bootstrap import FloatArray, Resampling, bootstrap, percentile_interval, stacked, totals
from thaw.comparison import mcnemar
from thaw.multilabel.metrics import BoolArray, counts_of, macro_f1_of_sets
from thaw.multilabel.predictions import LabelSetPredictions
from thaw.params import PromotionParams
from thaw.predictions import Predictions
from thaw.promotion import Decision, Figures, by_rule, decide, first_rows, too_few

EXACT_MATCH = "exact match"


def decide_any(
    champion: Predictions | LabelSetPredictions | None,
    challenger: Predictions | LabelSetPredictions,
    params: PromotionParams,
) -> Decision:
    """`thaw.promotion.decide` for one label an image, `decide_sets` for label sets; nothing is promoted from one kind to the other."""
    if isinstance(challenger, LabelSetPredictions):
        if isinstance(champion, Predictions):
            return _of_two_kinds("gives one label an image", "the challenger a set of labels")
        return decide_sets(champion, challenger, params)
    if isinstance(champion, LabelSetPredictions):
        return _of_two_kinds("gives a set of labels an image", "the challenger one label")
    return decide(champion, challenger, params)


def decide_sets(
    champion: LabelSetPredictions | None, challenger: LabelSetPredictions, params: PromotionParams
) -> Decision:
    """As `thaw.promotion.decide`; what McNemar's test counts as right is a row whose whole set is right (exact match).

    A class that only one of them knows is one that the other never names.
    """
    if champion is None:
        return Decision(True, "there is no champion yet, so the first version becomes it")
    theirs, own = first_rows(champion.digests), first_rows(challenger.digests)
    shared = [digest for digest in own if digest in theirs]
    if len(shared) < params.min_rows:
        return Decision(False, too_few(len(shared), params.min_rows))
    names = sorted({*challenger.class_names, *champion.class_names})
    here, there = [own[digest] for digest in shared], [theirs[digest] for digest in shared]
    figures = _figures(
        _widened(challenger.named[here], challenger.class_names, names),
        _widened(champion.named[there], champion.class_names, names),
        _widened(challenger.targets[here], challenger.class_names, names),
        params,
    )
    return by_rule(figures, params, EXACT_MATCH)


def _of_two_kinds(champion: str, challenger: str) -> Decision:
    return Decision(
        False,
        f"the champion {champion}, {challenger}, and no rule compares them; give the challenger a name of its own with registry.name",
    )


def _widened(sets: BoolArray, own: tuple[str, ...], names: list[str]) -> BoolArray:
    """Sets over `own` as sets over `names`, bool [N, C]."""
    found = np.zeros((len(sets), len(names)), np.bool_)
    found[:, [names.index(name) for name in own]] = sets
    return found


def _figures(challenger: BoolArray, champion: BoolArray, targets: BoolArray, params: PromotionParams) -> Figures:
    statistics = stacked([counts_of(challenger, targets), counts_of(champion, targets)])

    def gain(sums: FloatArray) -> FloatArray:
        first, second = np.split(sums, 2)
        return (macro_f1_of_sets(*np.split(first, 3)) - macro_f1_of_sets(*np.split(second, 3)))[None]

    value = float(gain(totals(statistics))[0, 0])
    replicates = bootstrap(statistics, gain, Resampling(params.bootstrap, params.confidence))[0]
    interval = percentile_interval(value, replicates, params.confidence)
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
