"""Scores of known and unknown inputs without an unknown example: classes are left out in turn, and their rows stand for inputs that the model never saw."""

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
"""The number of rounds; with more classes than rounds, several are left out at a time."""
LOOKS_AT_HEAD: tuple[ScoreName, ...] = ("max_probability", "energy", "background")
"""Scores that need a head; the others need features alone."""


@dataclass(frozen=True, eq=False)
class Collected:
    """One score's values for rows that its models were not fitted on.

    known: float32 [M], of rows of every class, by models that know all classes. below, reached: float64 [U], for each row of a class that its model did not
    know, the share of that model's known rows that score lower, and the share that score no higher. Unlike scores, shares are comparable between rounds: a
    model that knows one class less shifts all scores. classes: int64 [U], the classes of these rows.
    """

    known: Tensor
    below: Shares
    reached: Shares
    classes: Tensor


@dataclass(frozen=True)
class Maker:
    """The maker of scores from rows, with a head that is fitted again on them, with the setting and temperature of `head`."""

    head: FittedHead
    params: HeadParams
    names: tuple[ScoreName, ...]
    neighbours: int
    background: int | None = None

    def head_for(self, rows: LabelledFeatures) -> FittedHead | None:
        """The head on other rows; None if no score needs a head."""
        if not set(self.names) & set(LOOKS_AT_HEAD):
            return None
        setting = next(trial.setting for trial in self.head.trials if trial.chosen)
        model = fit_one(rows, setting, self.params, self.head.kind)
        return FittedHead(model, rows.class_names, self.head.temperature, ())

    def scores_for(self, rows: LabelledFeatures) -> dict[ScoreName, Score]:
        """All scores, fitted on the rows."""
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
    """Leave each class out in turn, and score its rows by models of the other classes; known rows are scored out of their fold.

    Every row is unknown once. Each round fits a model for each fold, and one more round leaves no class out.

    Raises:
        BadManifest: no row can be held out, because every class has a single row.
    """
    folds = _folds(rows, maker.params)
    classes = torch.arange(len(rows.class_names))
    rounds = min(ROUNDS, len(classes))
    total, done = (rounds + 1) * len(folds.numbers), 0

    def tell() -> None:
        nonlocal done
        done += 1
        progress(done, total)

    none = classes[:0]
    full = _round(rows, folds, none, maker, tell)
    rounds_scored = [(_round(rows, folds, classes[number::rounds], maker, tell)) for number in range(rounds)]
    return {name: _collect(full[name].known, [scores[name] for scores in rounds_scored]) for name in maker.names}


def hold_background_out(rows: LabelledFeatures, maker: Maker, progress: Progress) -> dict[ScoreName, Collected]:
    """Score every row out of its fold, with the rows of the background class as the unknown rows.

    Raises:
        BadManifest: no row of the background class, or no row of any other class, can be held out.
    """
    folds = _folds(rows, maker.params)
    scores, targets = [], []
    for done, number in enumerate(folds.numbers, 1):
        here = (folds.fold == number) & folds.held_out
        training, judged = rows.rows(~here), rows.rows(here).judging()
        (score,) = maker.scores_for(training).values()
        scores.append(known_scores(score, maker.head_for(training), judged.features))
        targets.append(judged.targets)
        progress(done, len(folds.numbers))
    assert maker.background is not None
    scored, unknown = torch.cat(scores), torch.cat(targets).eq(maker.background)
    if unknown.all() or not unknown.any():
        raise BadManifest(
            "no training example of openness.background, or none of any other class, can be held out for the tuning; "
            "label two or more of each"
        )
    only = _Round(scored[~unknown], scored[unknown], torch.cat(targets)[unknown])
    return {"background": _collect(only.known, [only])}


def judge_background(rows: LabelledFeatures, head: FittedHead, background: int) -> dict[ScoreName, Collected]:
    """The scores by `head` itself, on rows that it was not fitted on, with the rows of the background class as the unknown rows.

    Raises:
        BadManifest: no row is of the background class, or no row is of any other class.
    """
    unknown = rows.targets.eq(background)
    if unknown.all() or not unknown.any():
        raise BadManifest(
            "a fine-tuned model is tuned on validation examples, and none of them is of openness.background, or none of "
            "any other class; raise dataset.splits.val"
        )
    scored = known_scores(Background(background), head, rows.features)
    only = _Round(scored[~unknown], scored[unknown], rows.targets[unknown])
    return {"background": _collect(only.known, [only])}


@dataclass(frozen=True, eq=False)
class _Folds:
    """fold: int64 [N], for each row the fold whose model may judge it. held_out: bool [N], whether that model was fitted without the row."""

    fold: Tensor
    held_out: Tensor
    numbers: tuple[int, ...]


def _folds(rows: LabelledFeatures, params: HeadParams) -> _Folds:
    fold = assign_folds(rows.targets, folds=params.folds, seed=params.seed, groups=rows.groups)
    held_out = fold != NEVER
    if not held_out.any():
        raise BadManifest(
            "with one training example a class the threshold for unknown examples cannot be tuned; label more, or set openness.score to none"
        )
    numbers = tuple(fold[held_out].unique().tolist())
    return _Folds(torch.where(held_out, fold, numbers[0]), held_out, numbers)


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
        training = _of_classes(rows.rows(~out & ~(here & folds.held_out)), kept)
        known, unknown = rows.rows(here & folds.held_out & ~out).judging(), rows.rows(here & out).judging()
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
    return {name: _joined(scored) for name, scored in parts.items()}


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
    """The scores of all rounds; a round that leaves out every class with held-out rows has no known rows, and is skipped."""
    telling = [part for part in rounds if len(part.known)]
    below = [_shares(part, "left") for part in telling]
    reached = [_shares(part, "right") for part in telling]
    classes = torch.cat([part.classes for part in telling])
    return Collected(known, np.concatenate(below), np.concatenate(reached), classes)


def _shares(part: _Round, side: str) -> Shares:
    ordered = part.known.double().sort().values
    places = torch.searchsorted(ordered, part.unknown.double(), side=side)
    return (places.double() / len(ordered)).numpy()
