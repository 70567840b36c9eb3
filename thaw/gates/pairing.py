"""Champion and challenger on the same test rows: the ground of every gate that compares them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thaw.foundation.statistics.bootstrap import FloatArray
from thaw.targets.predictions import Predictions
from thaw.targets.target import BoolArray


@dataclass(frozen=True, eq=False)
class Said:
    """What one of them says of N rows. named: bool [N, C], over the classes of both.

    confidences: float64 [N, K], the probabilities that are put to the test, and hits: bool [N, K], whether each came true. Of one label an image K is 1,
    the class that it names; of label sets every class that it knows.
    """

    named: BoolArray
    confidences: FloatArray
    hits: BoolArray


@dataclass(frozen=True, eq=False)
class Paired:
    """Both on the N test rows that both have predictions of, and the rows' labels: bool [N, C] over the classes of both; `right` is what a row that is wholly
    right is called."""

    class_names: tuple[str, ...]
    targets: BoolArray
    champion: Said
    challenger: Said
    right: str

    def __len__(self) -> int:
        return len(self.targets)


def pair(champion: Predictions, challenger: Predictions) -> Paired | None:
    """Both on the rows in common; None where one gives a label an image and the other a set of them.

    Rows are matched by digest, each counts once, and the labels are the challenger's. A class that only one of them knows is one that the other never names.
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
        _said(champion, there, targets, names),
        _said(challenger, here, targets, names),
        challenger.target.right,
    )


def _said(side: Predictions, rows: list[int], targets: BoolArray, names: tuple[str, ...]) -> Said:
    named = _widened(side.named[rows], side.class_names, names)
    own = targets[:, [names.index(name) for name in side.class_names]]
    hits = np.asarray((named & targets).any(1))[:, None] if side.target.exclusive else own
    return Said(named, side.target.confidences(side.probabilities[rows]).astype(np.float64), hits)


def _widened(sets: BoolArray, own: Sequence[str], names: Sequence[str]) -> BoolArray:
    """Sets over `own` as sets over `names`, bool [N, C]."""
    found = np.zeros((len(sets), len(names)), np.bool_)
    found[:, [names.index(name) for name in own]] = sets
    return found


def _first_rows(digests: Sequence[bytes]) -> dict[bytes, int]:
    """The first row of each digest: an image that lies in the test twice is no more evidence than once."""
    rows: dict[bytes, int] = {}
    for row, digest in enumerate(digests):
        rows.setdefault(digest, row)
    return rows
