"""The test examples on which champion and challenger answer differently."""

from dataclasses import dataclass

import numpy as np

from thaw.gates.pairing import Paired
from thaw.targets.predictions import Predictions
from thaw.targets.target import BoolArray

MOST = 12
"""The most examples of each sort that a page shows."""


@dataclass(frozen=True)
class Change:
    """An example whose answer changed, with its labels and both answers, as names."""

    digest: bytes
    path: str
    labels: tuple[str, ...]
    champion: tuple[str, ...]
    challenger: tuple[str, ...]


@dataclass(frozen=True)
class Changes:
    """Examples whose answer changed, `MOST` of each sort at most, by path, and their numbers. lost: the champion alone is right; gained: the challenger alone;
    other: both are wrong."""

    lost: tuple[Change, ...]
    gained: tuple[Change, ...]
    other: tuple[Change, ...]
    counts: tuple[int, int, int]

    @property
    def shown(self) -> tuple[Change, ...]:
        """All that are shown."""
        return (*self.lost, *self.gained, *self.other)


def changes_of(paired: Paired, challenger: Predictions) -> Changes:
    """The changes between both models on the rows in common; challenger: its predictions, which know the paths."""
    paths = dict(zip(challenger.digests, challenger.paths, strict=True))
    before, after = paired.champion.named, paired.challenger.named
    was_right, is_right = (before == paired.targets).all(1), (after == paired.targets).all(1)
    sorts = (was_right & ~is_right, is_right & ~was_right, (before != after).any(1) & ~was_right & ~is_right)

    def names(row: BoolArray) -> tuple[str, ...]:
        return tuple(paired.class_names[place] for place in np.flatnonzero(row))

    def listed(rows: BoolArray) -> tuple[Change, ...]:
        found = sorted(np.flatnonzero(rows), key=lambda row: paths[paired.digests[row]])[:MOST]
        return tuple(
            Change(
                paired.digests[row],
                paths[paired.digests[row]],
                names(paired.targets[row]),
                names(before[row]),
                names(after[row]),
            )
            for row in found
        )

    lost, gained, other = (listed(rows) for rows in sorts)
    return Changes(lost, gained, other, (int(sorts[0].sum()), int(sorts[1].sum()), int(sorts[2].sum())))
