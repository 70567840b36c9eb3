"""Champion and challenger on the same test rows: the ground of every gate that compares them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thaw.foundation.statistics.bootstrap import FloatArray
from thaw.targets.label_sets.metrics import BoolArray
from thaw.targets.label_sets.predictions import LabelSetPredictions
from thaw.targets.predictions import Predictions

AnyPredictions = Predictions | LabelSetPredictions


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


def pair(champion: AnyPredictions, challenger: AnyPredictions) -> Paired | None:
    """Both on the rows in common; None where one gives a label an image and the other a set of them.

    Rows are matched by digest, each counts once, and the labels are the challenger's. A class that only one of them knows is one that the other never names.
    """
    names = tuple(sorted({*challenger.class_names, *champion.class_names}))
    theirs, own = _first_rows(champion.digests), _first_rows(challenger.digests)
    shared = [digest for digest in own if digest in theirs]
    here, there = [own[digest] for digest in shared], [theirs[digest] for digest in shared]
    if isinstance(champion, Predictions) and isinstance(challenger, Predictions):
        targets = _one_hot(challenger.targets[here], challenger.class_names, names)
        return Paired(
            names, targets, _single(champion, there, targets, names), _single(challenger, here, targets, names), "accuracy"
        )  # fmt: skip
    if isinstance(champion, LabelSetPredictions) and isinstance(challenger, LabelSetPredictions):
        targets = _widened(challenger.targets[here], challenger.class_names, names)
        return Paired(
            names, targets, _sets(champion, there, targets, names), _sets(challenger, here, targets, names), "exact match"
        )  # fmt: skip
    return None


def _single(said: Predictions, rows: list[int], targets: BoolArray, names: tuple[str, ...]) -> Said:
    named = _one_hot(said.predicted[rows], said.class_names, names)
    confidences = said.confidences[rows].astype(np.float64)[:, None]
    return Said(named, confidences, np.asarray((named & targets).sum(1) > 0)[:, None])


def _sets(said: LabelSetPredictions, rows: list[int], targets: BoolArray, names: tuple[str, ...]) -> Said:
    own = [names.index(name) for name in said.class_names]
    return Said(
        _widened(said.named[rows], said.class_names, names),
        said.probabilities[rows].astype(np.float64),
        targets[:, own],
    )


def _one_hot(
    classes: "np.ndarray[tuple[int], np.dtype[np.int64]]", own: Sequence[str], names: Sequence[str]
) -> BoolArray:
    """Indices into `own` as sets over `names`, bool [N, C]."""
    place = np.array([names.index(name) for name in own], np.int64)
    found = np.zeros((len(classes), len(names)), np.bool_)
    found[np.arange(len(classes)), place[classes]] = True
    return found


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
