"""Champion and challenger on the same test rows: the input of every gate that compares them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thaw.foundation.statistics.bootstrap import FloatArray, IntArray
from thaw.foundation.statistics.paired_proportions import effective_pairs
from thaw.targets.predictions import Predictions
from thaw.targets.target import BoolArray


@dataclass(frozen=True, eq=False)
class Side:
    """One model's predictions on N rows. named: bool [N, C], over the classes of both models.

    confidences: float64 [N, K], the probabilities that the calibration is measured on. hits: bool [N, K], whether each came true. With one label an example K
    is 1, the named class; with label sets K counts every class that the model knows.
    """

    named: BoolArray
    confidences: FloatArray
    hits: BoolArray


@dataclass(frozen=True, eq=False)
class Paired:
    """Both models on the N test rows that both have predictions for, with the rows' labels: bool [N, C] over the classes of both. `right` is the name of the
    share of right rows. digests: of the rows. groups: of the rows, int64 [N], as the challenger has them; None: each row is its own."""

    class_names: tuple[str, ...]
    targets: BoolArray
    champion: Side
    challenger: Side
    right: str
    digests: tuple[bytes, ...]
    groups: IntArray | None = None

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def rights(self) -> tuple[BoolArray, BoolArray]:
        """Whether each row is wholly right, bool [N]: by the challenger, and by the champion."""
        challenger, champion = ((side.named == self.targets).all(1) for side in (self.challenger, self.champion))
        return challenger, champion

    def groups_of(self, rows: BoolArray) -> IntArray | None:
        """The groups of some rows, bool [N]."""
        return None if self.groups is None else self.groups[rows]

    def independent(self, confidence: float) -> int:
        """The number of independent rows that would tell as much of the difference as these do; without groups their number."""
        if self.groups is None:
            return len(self)
        if len(np.unique(self.groups)) < 2:
            return 1
        return max(1, int(effective_pairs(*self.rights, self.groups, confidence)))


def pair(champion: Predictions, challenger: Predictions) -> Paired | None:
    """Both models on the rows in common; None if one of them gives a label an example and the other a set of labels.

    Rows are matched by digest, each counts once, and the labels are the challenger's. A class that only one model knows is never named by the other.
    """
    names = tuple(sorted({*challenger.class_names, *champion.class_names}))
    theirs, own = _first_rows(champion.digests), _first_rows(challenger.digests)
    shared = [digest for digest in own if digest in theirs]
    here, there = [own[digest] for digest in shared], [theirs[digest] for digest in shared]
    if champion.target != challenger.target:
        return None
    targets = _widened(challenger.shown[here], challenger.class_names, names)
    return Paired(
        names,
        targets,
        _side_of(champion, there, targets, names),
        _side_of(challenger, here, targets, names),
        challenger.target.right,
        tuple(shared),
        None if challenger.groups is None else challenger.groups[here],
    )


def _side_of(side: Predictions, rows: list[int], targets: BoolArray, names: tuple[str, ...]) -> Side:
    named = _widened(side.named[rows], side.class_names, names)
    own = targets[:, [names.index(name) for name in side.class_names]]
    confidences = side.target.confidences(side.probabilities[rows]).astype(np.float64)
    return Side(named, confidences, side.target.outcomes(side.named[rows], own))


def _widened(sets: BoolArray, own: Sequence[str], names: Sequence[str]) -> BoolArray:
    """Sets over `own` as sets over `names`, bool [N, C]."""
    widened = np.zeros((len(sets), len(names)), np.bool_)
    widened[:, [names.index(name) for name in own]] = sets
    return widened


def _first_rows(digests: Sequence[bytes]) -> dict[bytes, int]:
    """The first row of each digest: an example that is in the test twice counts once."""
    rows: dict[bytes, int] = {}
    for row, digest in enumerate(digests):
        rows.setdefault(digest, row)
    return rows
