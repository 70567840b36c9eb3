"""Scores of known and of unknown inputs without one unknown example: classes are left out in turn, and their rows are what a model never saw."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from thaw.foundation.errors import BadManifest
from thaw.foundation.parallel.progress import Progress
from thaw.foundation.statistics.binomial_bound import Shares
from thaw.heads.fitted import FittedHead
from thaw.heads.kinds import fit_one
from thaw.heads.open_set.distances import fit_mahalanobis, fit_neighbours_score
from thaw.heads.open_set.scores import Background, Energy, MaxProbability, Score, ScoreName, known_scores
from thaw.params.sections import HeadParams
from thaw.targets.labelled import LabelledFeatures
from thaw.targets.one_label.folds import assign_folds
from thaw.targets.target import NEVER

ROUNDS = 10
"""More classes than this are left out several at a time."""
LOOKS_AT_HEAD: tuple[ScoreName, ...] = ("max_probability", "energy", "background")
"""Scores that need a head; the others need features alone."""


@dataclass(frozen=True, eq=False)
class Collected:
    """What one score says of rows that its models were not fitted on.

    known: float32 [M], rows of every class, by models that know all classes. below, reached: float64 [U], for each row of a class that its model did not
    know, the share of that model's known rows that score lower, and no higher. Shares are comparable between rounds: a model that knows a class less gives
    other scores to all. classes: int64 [U], the classes of these rows.
    """

    known: Tensor
    below: Shares
    reached: Shares
    classes: Tensor


@dataclass(frozen=True)
class Maker:
    """Makes the scores from rows: with a head refitted on them, with the setting and temperature of `head`."""

    head: FittedHead
    params: HeadParams
    names: tuple[ScoreName, ...]
    neighbours: int
    background: int | None = None

    def head_for(self, rows: LabelledFeatures) -> FittedHead | None:
        """The head on other rows; None where no score needs one."""
        if not set(self.names) & set(LOOKS_AT_HEAD):
            return None
        setting = next(trial.setting for trial in self.head.trials if trial.chosen)
        model = fit_one(rows, setting, self.params, self.head.kind)
        return FittedHead(model, rows.class_names, self.head.temperature, ())

    def scores_for(self, rows: LabelledFeatures) -> dict[ScoreName, Score]:
        """Each score, fitted on the rows."""
        return {name: self.score(name, rows) for name in self.names}

    def score(self, name: ScoreName, rows: LabelledFeatures) -> Score:
        """One score, fitted on the rows."""
        match name:
            case "max_probability":
                return MaxProbability()
            case "energy":
                return Energy()
            case "mahalanobis":
                return fit_mahalanobis(rows)
            case "neighbours":
                return fit_neighbours_score(rows, self.neighbours)
            case "background":
                assert self.background is not None
                return Background(self.background)


def leave_classes_out(rows: LabelledFeatures, maker: Maker, progress: Progress) -> dict[ScoreName, Collected]:
    """Leave each class out in turn, and score its rows with what was fitted on the other classes; and known rows out of their fold.

    Every row is an unknown one once. Each round fits a model for each fold, and one more round leaves no class out.

    Raises:
        BadManifest: no row can be held out, because every class has one.
    """
    folds = _folds(rows, maker.params)
    classes = torch.arange(len(rows.class_names))
    rounds = min(ROUNDS, len(classes))
    total, done = (rounds + 1) * len(folds.numbers), 0

    def tell() -> None:
        nonlocal done
        done += 1
        progress(done, total)

    nothing = classes[:0]
    full = _round(rows, folds, nothing, maker, tell)
    found = [(_round(rows, folds, classes[number::rounds], maker, tell)) for number in range(rounds)]
    return {name: _collect(full[name].known, [one[name] for one in found]) for name in maker.names}


def hold_background_out(rows: LabelledFeatures, maker: Maker, progress: Progress) -> dict[ScoreName, Collected]:
    """Score every row out of its fold, and take the rows of the background class for the unknown ones.

    Raises:
        BadManifest: none of its rows, or of the others, can be held out.
    """
    folds = _folds(rows, maker.params)
    scores, targets = [], []
    for done, number in enumerate(folds.numbers, 1):
        here = (folds.fold == number) & folds.held
        training, held = rows.rows(~here), rows.rows(here).judging()
        (score,) = maker.scores_for(training).values()
        scores.append(known_scores(score, maker.head_for(training), held.features))
        targets.append(held.targets)
        progress(done, len(folds.numbers))
    assert maker.background is not None
    scored, unknown = torch.cat(scores), torch.cat(targets).eq(maker.background)
    if unknown.all() or not unknown.any():
        raise BadManifest(
            "no training image of openness.background, or none of any other class, can be held out to tune on; "
            "label two or more of it"
        )
    one = _Round(scored[~unknown], scored[unknown], torch.cat(targets)[unknown])
    return {"background": _collect(one.known, [one])}


def judge_background(rows: LabelledFeatures, head: FittedHead, background: int) -> dict[ScoreName, Collected]:
    """The same by `head` itself, on rows that it was not fitted on.

    Raises:
        BadManifest: none of them is of the background class, or none of any other.
    """
    unknown = rows.targets.eq(background)
    if unknown.all() or not unknown.any():
        raise BadManifest(
            "a fine-tuned model is tuned on validation images, and none of them is of openness.background, or none of "
            "any other class; raise dataset.splits.val"
        )
    scored = known_scores(Background(background), head, rows.features)
    one = _Round(scored[~unknown], scored[unknown], rows.targets[unknown])
    return {"background": _collect(one.known, [one])}


@dataclass(frozen=True, eq=False)
class _Folds:
    """fold: int64 [N], for each row the fold whose model may judge it. held: bool [N], whether that model was fitted without it."""

    fold: Tensor
    held: Tensor
    numbers: tuple[int, ...]


def _folds(rows: LabelledFeatures, params: HeadParams) -> _Folds:
    fold = assign_folds(rows.targets, folds=params.folds, seed=params.seed, groups=rows.groups)
    held = fold != NEVER
    if not held.any():
        raise BadManifest(
            "what no class knows cannot be told with one training image a class; label more, or set openness.score to none"
        )
    numbers = tuple(fold[held].unique().tolist())
    return _Folds(torch.where(held, fold, numbers[0]), held, numbers)


@dataclass(frozen=True, eq=False)
class _Round:
    """Scores of known rows [M] and of unknown rows [U], and the classes of the latter."""

    known: Tensor
    unknown: Tensor
    classes: Tensor


def _round(
    rows: LabelledFeatures, folds: _Folds, left_out: Tensor, maker: Maker, tell: Callable[[], None]
) -> dict[ScoreName, _Round]:
    """The scores of one round; the rows of a fold are judged by the model that was fitted without them."""
    out = torch.isin(rows.targets, left_out)
    kept = [number for number in range(len(rows.class_names)) if number not in left_out.tolist()]
    parts: dict[ScoreName, list[_Round]] = {name: [] for name in maker.names}
    for number in folds.numbers:
        here = folds.fold == number
        training = _of_classes(rows.rows(~out & ~(here & folds.held)), kept)
        known, unknown = rows.rows(here & folds.held & ~out).judging(), rows.rows(here & out).judging()
        head = maker.head_for(training)
        for name, score in maker.scores_for(training).items():
            parts[name].append(
                _Round(
                    known_scores(score, head, known.features),
                    known_scores(score, head, unknown.features),
                    unknown.targets,
                )
            )
        tell()
    return {name: _joined(found) for name, found in parts.items()}


def _of_classes(rows: LabelledFeatures, kept: Sequence[int]) -> LabelledFeatures:
    """The rows, all of them of the classes `kept`, with targets that count these classes alone."""
    place = torch.full((len(rows.class_names),), -1)
    place[list(kept)] = torch.arange(len(kept))
    names = tuple(rows.class_names[number] for number in kept)
    return LabelledFeatures(rows.features, place[rows.targets], names, rows.groups, rows.judges)


def _joined(parts: Sequence[_Round]) -> _Round:
    return _Round(
        torch.cat([part.known for part in parts]),
        torch.cat([part.unknown for part in parts]),
        torch.cat([part.classes for part in parts]),
    )


def _collect(known: Tensor, rounds: Sequence[_Round]) -> Collected:
    """A round whose classes hold every row that can be held out says nothing, and is left out."""
    telling = [one for one in rounds if len(one.known)]
    below = [_shares(one, "left") for one in telling]
    reached = [_shares(one, "right") for one in telling]
    classes = torch.cat([one.classes for one in telling])
    return Collected(known, np.concatenate(below), np.concatenate(reached), classes)


def _shares(one: _Round, side: str) -> Shares:
    ordered = one.known.double().sort().values
    found = torch.searchsorted(ordered, one.unknown.double(), side=side)
    return (found.double() / len(ordered)).numpy()
