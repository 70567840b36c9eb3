"""The choice of a head's setting on held-out rows, and the fit with that setting on all training rows.

The criterion is the mean log loss. It judges all probabilities and not only the largest, so it still ranks settings where a small validation set has many
ties in accuracy. On digits with 5 and 20 labels a class, this criterion gave a better test accuracy than accuracy did, or the log loss after calibration. Of
equal losses the stronger regularisation is taken.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from thaw.foundation.errors import BadArtifact
from thaw.foundation.parallel.torch_threads import threads, threads_for
from thaw.heads.fitted import FittedHead, HeldOut, Model, Setting, Trial, finish_head
from thaw.heads.kinds import Lot, candidates, fit_lots, fit_one, lot_logits, weights_of
from thaw.params.sections import HeadParams
from thaw.params.values.strategy import HeadKind
from thaw.targets.labelled import LabelledFeatures
from thaw.targets.target import NEVER, Losses, Target

PATIENCE = 2  # lots (checkpoints of the mlp) without a lower loss
GAIN = 0.01  # the share by which a loss must fall to count as lower
TIE = 6  # decimals in which two losses must differ
KEPT = 2**24
"""The number of logits, of all settings for all held-out rows, that stay in memory (64 MiB). Of more, those of the chosen setting are computed again."""


def fit_head(
    train: LabelledFeatures, val: LabelledFeatures | None, params: HeadParams, kind: HeadKind = "linear"
) -> FittedHead:
    """Fit a head of a kind on `train`; its setting and temperature are chosen on `val`.

    Without `val` (None, or no rows) both come from a stratified cross-validation on `train`, where a class of one row is always trained on. If no row can be
    held out, the strongest regularisation is taken and the head is not calibrated. The thresholds of label sets come from the same rows. The same inputs and
    seed give the same head.

    Raises:
        BadArtifact: some features are not finite numbers.
        BadManifest: there are fewer than two classes, or a class has no training row, or, with label sets, every row shows a class.
    """
    check_finite(train.features, *(() if val is None else (val.features,)))
    with threads(threads_for(train.features.numel())):
        return _fit_head(train, val, params, kind)


def _fit_head(train: LabelledFeatures, val: LabelledFeatures | None, params: HeadParams, kind: HeadKind) -> FittedHead:
    splits = _splits(train, val, params)
    settings = candidates(train, params, kind)
    weights = weights_of(train, params)
    judge = _Judge(train.target, weights)
    keep = len(train) * len(train.class_names) * len(settings) <= KEPT
    tried = [
        _try_split(split, lambda part: fit_lots(part, settings, params, kind), judge, keep=keep) for split in splits()
    ]
    scores = _joined([each.losses for each in tried])
    chosen = _best(scores, settings)
    model = fit_one(train, chosen, params, kind)
    held_out: HeldOut | None
    if val is not None and len(val):
        held_out = HeldOut(model.logits(val.features), val.targets)
    elif keep:
        held_out = _together([HeldOut(each.logits[chosen], each.targets) for each in tried])
    else:
        held_out = _together([_fitted_again(split, fit_one(split.train, chosen, params, kind)) for split in splits()])
    trials = _trials(scores, settings, chosen)
    return finish_head(model, train.class_names, train.target, weights=weights, held_out=held_out, trials=trials)


_Fit = Callable[[LabelledFeatures], Iterator[Lot]]
"""See `fit_lots`."""


@dataclass(frozen=True)
class _Split:
    """Rows to train on, and rows to judge on."""

    train: LabelledFeatures
    held_out: LabelledFeatures


@dataclass(frozen=True, eq=False)
class _Judge:
    """The measurement of held-out rows. weights: of the classes in the loss of all training rows."""

    target: Target
    weights: Tensor

    def __call__(self, logits: Tensor, targets: Tensor) -> Losses:
        return self.target.losses(logits, targets, self.weights)


def _splits(
    train: LabelledFeatures, val: LabelledFeatures | None, params: HeadParams
) -> Callable[[], Iterator[_Split]]:
    """A function that makes the splits; one copy of the features is in memory at a time."""
    if val is not None and len(val):
        return lambda: iter([_Split(train, val)])
    fold = train.target.folds(train.targets, count=params.folds, seed=params.seed, groups=train.groups)

    def splits() -> Iterator[_Split]:
        for number in fold[fold != NEVER].unique().tolist():
            yield _Split(train.rows(fold != number), train.rows(fold == number).judging())

    return splits


@dataclass(frozen=True, eq=False)
class _Tried:
    """The settings that one split reached. logits: of the rows that it holds out, float32 [n, C]; empty if they are not kept. targets: of these rows."""

    losses: dict[Setting, Losses]
    logits: dict[Setting, Tensor]
    targets: Tensor


def _try_split(split: _Split, fit: _Fit, judge: _Judge, *, keep: bool) -> _Tried:
    """The losses of each setting; a training in several lots ends where it no longer lowers the loss. keep: whether the logits stay in memory."""
    tried = _Tried({}, {}, split.held_out.targets)
    lowest, idle = math.inf, 0
    for lot in fit(split.train):
        logits = dict(lot_logits(lot, split.held_out.features))
        new = {setting: judge(each, tried.targets) for setting, each in logits.items()}
        tried.losses.update(new)
        tried.logits.update(logits if keep else {})
        loss = min(score.log_loss for score in new.values())
        idle = 0 if loss < lowest * (1 - GAIN) else idle + 1
        lowest = min(loss, lowest)
        if idle == PATIENCE:
            break
    return tried


def _joined(splits: Sequence[dict[Setting, Losses]]) -> dict[Setting, Losses]:
    """The losses of each setting over all splits, without settings that some split did not reach."""
    if not splits:
        return {}
    first, *others = splits
    reached = [setting for setting in first if all(setting in other for other in others)]
    return {setting: sum((other[setting] for other in others), first[setting]) for setting in reached}


def _best(scores: dict[Setting, Losses], settings: Sequence[Setting]) -> Setting:
    """The setting of the lowest loss; the first setting, of the strongest regularisation, if losses are equal or there are none."""
    tried = (setting for setting in settings if setting in scores)
    return min(tried, key=lambda setting: round(scores[setting].log_loss, TIE), default=settings[0])


def _fitted_again(split: _Split, model: Model) -> HeldOut:
    """What the model of the chosen setting, fitted without the rows that the split holds out, gives for them."""
    return HeldOut(model.logits(split.held_out.features), split.held_out.targets)


def _together(parts: Sequence[HeldOut]) -> HeldOut | None:
    """The rows of all splits; None: no row is held out."""
    return (
        HeldOut(torch.cat([part.logits for part in parts]), torch.cat([part.targets for part in parts]))
        if parts
        else None
    )


def _trials(scores: dict[Setting, Losses], settings: Sequence[Setting], chosen: Setting) -> tuple[Trial, ...]:
    """The trials in the order of `settings`; the chosen setting is one of them even if no row could be held out."""
    trials = []
    for setting in settings:
        score = scores.get(setting)
        if score is not None:
            trials.append(Trial(setting, score.log_loss, score.accuracy, setting == chosen))
        elif setting == chosen:
            trials.append(Trial(setting, None, None, chosen=True))
    return tuple(trials)


def check_finite(*parts: Tensor) -> None:
    """Refuse features, float32 [N, D] each, that are not finite numbers.

    Raises:
        BadArtifact: some are not.
    """
    for part in parts:
        # The sum is a quick check. It may overflow, so a second check follows before an error is raised.
        if part.sum().isfinite():
            continue
        bad = int((~part.isfinite()).any(1).sum())
        if bad:
            raise BadArtifact(
                f"the features of {bad} of {len(part)} examples are not finite numbers; "
                "check backbone.weights, and set extract.dtype to float32"
            )
