"""The fit of the score by which a model answers "neither", on the features of its head's training, without an unknown example."""

import torch

from thaw.foundation.errors import BadParameters
from thaw.foundation.parallel.progress import Progress, untold
from thaw.foundation.parallel.torch_threads import threads, threads_for
from thaw.foundation.statistics.bootstrap import USUAL
from thaw.heads.fitted import FittedHead
from thaw.heads.open_set.distances import neighbours_for
from thaw.heads.open_set.fitted import Openness
from thaw.heads.open_set.rounds import (
    LOOKS_AT_HEAD,
    Collected,
    Maker,
    hold_background_out,
    judge_background,
    leave_classes_out,
)
from thaw.heads.open_set.scores import ScoreName
from thaw.heads.open_set.tuning import tune
from thaw.params.sections import HeadParams, OpennessParams
from thaw.targets.labelled import LabelledFeatures, joined
from thaw.targets.supports import require
from thaw.targets.target import NEITHER, Target

SCORES: tuple[ScoreName, ...] = ("max_probability", "energy", "mahalanobis", "neighbours")
MOST_ROWS = 10_000
"""The largest number of rows; more are sampled, because the tuning fits some fifty models and a threshold needs no more."""
TRAINED_TOGETHER = "the head is trained with the network below it, and cannot be fitted again without a class"
LEARNT_NOTHING = "the head was not fitted on features, and cannot be fitted again without a class"


def fit_openness(
    head: FittedHead,
    train: LabelledFeatures,
    val: LabelledFeatures | None,
    *,
    params: OpennessParams,
    head_params: HeadParams,
    confidence: float = USUAL.confidence,
    progress: Progress = untold,
) -> Openness | None:
    """Fit a score on `train` and `val`, and tune its threshold on classes left out in turn, or on the background class; None if `params` ask for neither.

    `confidence` is that of the upper bound of the false accepts.

    `head` was fitted on `train`, and heads on the remaining classes are fitted like it. With two classes a single class remains when the other is left out:
    scores of the features can be tuned with it, scores of the head cannot.

    A head that was trained with its backbone cannot be fitted again alone. Then only scores of the features are tuned, and a background class on `val`. That
    backbone has also learnt to separate the classes left out, so the measured rate of false accepts is lower than for new classes; `Tuning.seen` records it.

    Raises:
        BadParameters: the score cannot be tuned for these classes or this head, or a name is in the way.
        BadManifest: no row can be held out.
    """
    if params.score == "none" and params.background is None:
        return None
    _check(head, params)
    held_out = train.rows(torch.arange(0)) if val is None else val
    rows = _sample(joined(train, held_out) if len(held_out) else train, head_params.seed)
    with threads(threads_for(rows.features.numel())):
        return _fit_openness(
            head, rows, held_out, params=params, head_params=head_params, confidence=confidence, progress=progress
        )


def check_target(target: Target, params: OpennessParams) -> None:
    """Refuse openness for a target that does not support it, before a head is fitted.

    Raises:
        BadParameters: the parameters ask for openness, and the target does not support it.
    """
    if params.score == "none" and params.background is None:
        return
    asked = f"score: {params.score}" if params.score != "none" else f"background: {params.background}"
    require(target, "open_set", f"openness.{asked} given")


def check_thawed(params: OpennessParams) -> None:
    """Refuse a score that could not be tuned after the training of a backbone, before that training.

    Raises:
        BadParameters: the score looks at a head that is trained with the backbone.
    """
    if params.score in LOOKS_AT_HEAD:
        raise BadParameters(_refusal(params.score, TRAINED_TOGETHER))


def _fit_openness(
    head: FittedHead,
    rows: LabelledFeatures,
    held_out: LabelledFeatures,
    *,
    params: OpennessParams,
    head_params: HeadParams,
    confidence: float,
    progress: Progress,
) -> Openness:
    background = None if params.background is None else head.class_names.index(params.background)
    maker = Maker(head, head_params, candidates(head, params), neighbours_for(rows), background)
    collected: dict[ScoreName, Collected]
    if background is None:
        collected = leave_classes_out(rows, maker, progress)
    elif _trained_with_backbone(head):
        collected = judge_background(held_out, head, background)
    else:
        collected = hold_background_out(rows, maker, progress)
    tuning = tune(
        collected,
        head.class_names,
        rate=params.false_accepts,
        confidence=confidence,
        unknown="classes left out" if background is None else "background",
        seen=background is None and _trained_with_backbone(head),
    )
    return Openness(maker.score(tuning.chosen.score, rows), tuning.chosen.threshold, tuning, params.background)


def candidates(head: FittedHead, params: OpennessParams) -> tuple[ScoreName, ...]:
    """The scores to try; of equally good scores the first is taken."""
    if params.background is not None:
        return ("background",)
    match params.score:
        case "none" | "auto":
            return tuple(name for name in SCORES if _obstacle(name, head) is None)
        case name:
            return (name,)


def _obstacle(name: str, head: FittedHead) -> str | None:
    """The reason why a score cannot be used with this head, or None."""
    if name in LOOKS_AT_HEAD and _trained_with_backbone(head):
        return TRAINED_TOGETHER if head.trials else LEARNT_NOTHING
    if name in LOOKS_AT_HEAD and len(head.class_names) == 2:
        return "with two classes a single class remains when the other is left out, and a head needs two"
    if name == "energy" and head.kind == "knn":
        return "the logits of a nearest-neighbour head are logs of shares, and their energy is always 0"
    return None


def _trained_with_backbone(head: FittedHead) -> bool:
    """Whether the head was fine-tuned: its trials are epochs, without a setting to fit it by. A head of the names of classes has none either."""
    return all(trial.setting.l2 is None and trial.setting.neighbours is None for trial in head.trials)


def _check(head: FittedHead, params: OpennessParams) -> None:
    names = head.class_names
    if params.background is not None and params.background not in names:
        raise BadParameters(
            f"openness.background: {params.background!r} is no label of a training example; the labels are "
            f"{', '.join(map(repr, names))}"
        )
    if NEITHER in names and params.background != NEITHER:
        raise BadParameters(
            f"the label {NEITHER!r} is reserved for inputs of no known class; rename it, "
            "or set openness.background: neither if its examples are of no class"
        )
    obstacle = None if params.background is not None else _obstacle(params.score, head)
    if obstacle is not None:
        raise BadParameters(_refusal(params.score, obstacle))


def _refusal(score: str, reason: str) -> str:
    return f"openness.score: {score} cannot be tuned here ({reason}); take auto, mahalanobis or neighbours"


def _sample(rows: LabelledFeatures, seed: int) -> LabelledFeatures:
    """At most `MOST_ROWS` of the rows, in their order, and at least one of each class."""
    if len(rows) <= MOST_ROWS:
        return rows
    drawn = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))
    first = torch.zeros(len(rows.class_names), dtype=torch.int64)
    first[rows.targets[drawn.flip(0)]] = drawn.flip(0)
    missing = ~torch.isin(torch.arange(len(first)), rows.targets[drawn[:MOST_ROWS]])
    return rows.rows(torch.cat([drawn[:MOST_ROWS], first[missing]]).sort().values)
