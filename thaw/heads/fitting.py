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
    scores = _try_all(splits(), settings, lambda part, tried: fit_lots(part, tried, params, kind), judge)
    chosen = _best(scores, settings)
    model = fit_one(train, chosen, params, kind)
    if val is not None and len(val):
        held_out: HeldOut | None = HeldOut(model.logits(val.features), val.targets)
    else:
        held_out = _cross_validated(splits(), lambda part: fit_one(part, chosen, params, kind))
    trials = _trials(scores, settings, chosen)
    return finish_head(model, train.class_names, train.target, weights=weights, held_out=held_out, trials=trials)


_Fit = Callable[[LabelledFeatures, Sequence[Setting]], Iterator[Lot]]
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


def _try_all(splits: Iterator[_Split], settings: Sequence[Setting], fit: _Fit, judge: _Judge) -> dict[Setting, Losses]:
    """The losses of each setting over all splits, without settings that some split did not reach."""
    scores: dict[Setting, Losses] | None = None
    for split in splits:
        new = _try_split(split, settings, fit, judge)
        scores = new if scores is None else {key: scores[key] + new[key] for key in scores if key in new}
    return scores or {}


def _try_split(split: _Split, settings: Sequence[Setting], fit: _Fit, judge: _Judge) -> dict[Setting, Losses]:
    """The losses of each setting; a training in several lots ends where it no longer lowers the loss."""
    scores: dict[Setting, Losses] = {}
    lowest, idle = math.inf, 0
    for lot in fit(split.train, settings):
        new = {
            setting: judge(logits, split.held_out.targets)
            for setting, logits in lot_logits(lot, split.held_out.features)
        }
        scores |= new
        loss = min(score.log_loss for score in new.values())
        idle = 0 if loss < lowest * (1 - GAIN) else idle + 1
        lowest = min(loss, lowest)
        if idle == PATIENCE:
            break
    return scores


def _best(scores: dict[Setting, Losses], settings: Sequence[Setting]) -> Setting:
    """The setting of the lowest loss; the first setting, of the strongest regularisation, if losses are equal or there are none."""
    tried = (setting for setting in settings if setting in scores)
    return min(tried, key=lambda setting: round(scores[setting].log_loss, TIE), default=settings[0])


def _cross_validated(splits: Iterator[_Split], fit: Callable[[LabelledFeatures], Model]) -> HeldOut | None:
    """The logits of every row that a split holds out, by the model that was fitted without it; None: no row is held out.

    `fit` uses the chosen setting. Its logits are computed again, because the logits of every setting might not fit in memory.
    """
    logits, targets = [], []
    for split in splits:
        logits.append(fit(split.train).logits(split.held_out.features))
        targets.append(split.held_out.targets)
    return HeldOut(torch.cat(logits), torch.cat(targets)) if logits else None


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
