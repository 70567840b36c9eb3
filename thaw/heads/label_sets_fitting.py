"""Choosing the L2 strength of a head for label sets on rows that it has not seen, and fitting it with that on all training rows.

The criterion is the mean log loss over all classes, for the reasons that `thaw.heads.fitting` gives; one strength serves all classes. Calibration and
thresholds come from the same held-out rows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from thaw.foundation.errors import BadManifest
from thaw.foundation.parallel.torch_threads import threads, threads_for
from thaw.heads.fitted import Setting, Trial
from thaw.heads.fitting import TIE, check_finite
from thaw.heads.label_sets_fitted import LabelSetHead
from thaw.heads.label_sets_logistic import fit_logistic_sets
from thaw.heads.logistic import LogisticModel
from thaw.params.sections import HeadParams
from thaw.targets.label_sets.calibration import fit_calibration
from thaw.targets.label_sets.folds import NEVER, assign_folds
from thaw.targets.label_sets.labelled import LabelSetFeatures
from thaw.targets.label_sets.thresholds import UNTUNED, tune_thresholds


def fit_label_set_head(train: LabelSetFeatures, val: LabelSetFeatures | None, params: HeadParams) -> LabelSetHead:
    """Fit a linear head on `train`, its L2 strength, temperature and thresholds chosen on `val`.

    Without `val` (None, or no rows) they come from a cross-validation on `train`, stratified by label sets. Where nothing can be held out, the strongest
    L2 is taken, the temperature is 1 and every threshold one half. The same inputs and seed give the same head.

    Raises:
        BadArtifact: features that are not finite numbers.
        BadManifest: fewer than two classes, or one that all training rows show, or none.
    """
    check_finite(train.features, *(() if val is None else (val.features,)))
    with threads(threads_for(train.features.numel())):
        return _fit(train, val, params)


def decision_weights(targets: Tensor, class_names: Sequence[str], params: HeadParams) -> Tensor:
    """What a row without a class, and a row with it, weigh in the loss of that class: float32 [2, C]; targets: bool [N, C].

    Raises:
        BadManifest: fewer than two classes, or one that all rows show, or none.
    """
    shown = targets.sum(0)
    counts = torch.stack([len(targets) - shown, shown])
    empty = [name for name, smallest in zip(class_names, counts.amin(0).tolist(), strict=True) if not smallest]
    if empty or len(class_names) < 2:
        raise BadManifest(
            "a head for label sets needs two classes or more, each shown by some training rows and not by others, and there are "
            f"{'only ' + repr(tuple(class_names)) if len(class_names) < 2 else 'not of ' + ', '.join(map(repr, empty))}; add some to train"
        )
    if params.class_weights == "none":
        return torch.ones(counts.shape)
    return len(targets) / (2 * counts).float()


def held_out_losses(train: LabelSetFeatures, val: LabelSetFeatures | None, params: HeadParams) -> Tensor | None:
    """How surprised a head is by each row that it was not trained on, float64 [N], at the L2 strength of the lowest mean; None: nothing can be held out.

    The same rows in the same order for any features of the same examples.
    """
    check_finite(train.features, *(() if val is None else (val.features,)))
    weights = decision_weights(train.targets, train.class_names, params)
    with threads(threads_for(train.features.numel())):
        judged = _judge(_splits(train, val, params), sorted(set(params.l2), reverse=True), params)
    if judged is None:
        return None
    losses = [_losses(logits, judged.targets, weights).double().mean(1) for logits in judged.logits]
    return min(losses, key=lambda loss: float(loss.mean()))


@dataclass(frozen=True)
class _Split:
    """Rows to train on, and rows to judge on."""

    train: LabelSetFeatures
    held_out: LabelSetFeatures


@dataclass(frozen=True)
class _HeldOut:
    """What the models say of rows that they were not trained on: logits float32 [N, C] for each strength, targets bool [N, C]."""

    logits: tuple[Tensor, ...]
    targets: Tensor


def _fit(train: LabelSetFeatures, val: LabelSetFeatures | None, params: HeadParams) -> LabelSetHead:
    strengths = sorted(set(params.l2), reverse=True)
    weights = decision_weights(train.targets, train.class_names, params)
    judged = _judge(_splits(train, val, params), strengths, params)
    losses = [] if judged is None else [_log_loss(logits, judged.targets, weights) for logits in judged.logits]
    chosen = min(range(len(losses)), key=lambda place: round(losses[place], TIE), default=0)
    (model,) = fit_logistic_sets(train.features, train.targets, weights=weights, l2=[strengths[chosen]])
    if judged is None:
        trial = Trial(Setting(l2=strengths[0]), None, None, chosen=True)
        untuned = (UNTUNED,) * len(train.class_names)
        return LabelSetHead(_shifted(model, -_prior(weights)), train.class_names, 1.0, untuned, (trial,))
    logits = judged.logits[chosen]
    calibration = fit_calibration(logits, judged.targets)
    probabilities = (logits / calibration.temperature + calibration.shifts).sigmoid()
    trials = tuple(
        Trial(Setting(l2=l2), losses[place], _accuracy(judged.logits[place], judged.targets), place == chosen)
        for place, l2 in enumerate(strengths)
    )
    return LabelSetHead(
        _shifted(model, calibration.temperature * calibration.shifts),
        train.class_names,
        calibration.temperature,
        tune_thresholds(probabilities, judged.targets),
        trials,
    )


def _prior(weights: Tensor) -> Tensor:
    """What the weights of the loss add to each class's logit, float32 [C]: the log of how many times a row with the class weighs one without it.

    Source: King and Zeng, "Logistic regression in rare events data", Political Analysis 2001 (prior correction).
    """
    return (weights[1] / weights[0]).log()


def _shifted(model: LogisticModel, shifts: Tensor) -> LogisticModel:
    """The model with so much added to its logits; float32 [C]."""
    return replace(model, bias=model.bias + shifts)


def _splits(train: LabelSetFeatures, val: LabelSetFeatures | None, params: HeadParams) -> Iterator[_Split]:
    """What to train and to judge on; one copy of the features is held at a time."""
    if val is not None and len(val):
        yield _Split(train, val)
        return
    fold = assign_folds(train.targets, folds=params.folds, seed=params.seed, groups=train.groups)
    for number in fold[fold != NEVER].unique().tolist():
        yield _Split(train.rows(fold != number), train.rows(fold == number).judging())


def _judge(splits: Iterator[_Split], strengths: Sequence[float], params: HeadParams) -> _HeldOut | None:
    """None: nothing can be held out."""
    logits: list[list[Tensor]] = [[] for _ in strengths]
    targets: list[Tensor] = []
    for split in splits:
        part = split.train
        weights = decision_weights(part.targets, part.class_names, params)
        models = fit_logistic_sets(part.features, part.targets, weights=weights, l2=strengths)
        for said, model in zip(logits, models, strict=True):
            said.append(model.logits(split.held_out.features))
        targets.append(split.held_out.targets)
    if not targets:
        return None
    return _HeldOut(tuple(torch.cat(said) for said in logits), torch.cat(targets))


def _log_loss(logits: Tensor, targets: Tensor, weights: Tensor) -> float:
    """The weighted mean over rows, and the mean over classes."""
    return float(_losses(logits, targets, weights).mean())


def _losses(logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Of each decision, float32 [N, C], weighted so that a class's weights have the mean 1."""
    weight = torch.where(targets, weights[1], weights[0])
    losses = F.binary_cross_entropy_with_logits(logits, targets.float(), weight, reduction="none")
    return losses / weight.mean(0)


def _accuracy(logits: Tensor, targets: Tensor) -> float:
    return float(((logits > 0) == targets).float().mean())
