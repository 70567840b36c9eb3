"""Events in a stream of scores: what is counted is how often the trigger is reported, not for how long its score is high."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]
Counts = NDArray[np.int64]


def events(scores: Scores, threshold: float, refractory: int) -> Counts:
    """The places of events, int64 [E], rising; scores: a score each place, float32 [P].

    A place whose score is above the threshold is an event, unless the last event is less than `refractory` places before. Of all sets of places above the
    threshold with such distances none is larger, so a higher threshold never gives more events.
    """
    above = np.flatnonzero(scores > threshold)
    found, free = [], 0
    while (first := int(np.searchsorted(above, free))) < len(above):
        found.append(int(above[first]))
        free = found[-1] + refractory
    return np.array(found, np.int64)


@dataclass(frozen=True, eq=False)
class ScoredRecording:
    """The scores of a recording without a trigger, float32 [P].

    hours: the length of the sound. group: recordings of a group (of a speaker, of a microphone) are not independent.
    """

    scores: Scores
    hours: float
    group: str


@dataclass(frozen=True, eq=False)
class Background:
    """Recordings without a trigger: sound in which every event is a false accept. refractory: see `events`.

    Raises:
        ValueError: there are no recordings.
    """

    recordings: Sequence[ScoredRecording]
    refractory: int

    def __post_init__(self) -> None:
        if not self.recordings:
            raise ValueError("false accepts are counted on recordings without the trigger, and there are none")

    @property
    def hours(self) -> float:
        """The length of the sound."""
        return float(self.group_hours.sum())

    @cached_property
    def scores(self) -> Scores:
        """All scores, with gaps between recordings that no event reaches across."""
        gap = np.full(self.refractory, -np.inf, np.float32)
        return np.concatenate([part for each in self.recordings for part in (each.scores, gap)])

    @cached_property
    def levels(self) -> Scores:
        """The scores that occur, rising."""
        return np.unique(np.concatenate([each.scores for each in self.recordings]))

    @cached_property
    def group_hours(self) -> NDArray[np.float64]:
        """The hours of each group, float64 [G]."""
        return np.bincount(self._groups, [each.hours for each in self.recordings]).astype(np.float64)

    def false_accepts(self, threshold: float) -> Counts:
        """The events of each group, int64 [G]."""
        places = events(self.scores, threshold, self.refractory)
        return np.bincount(self._group_of_place[places], minlength=len(self.group_hours)).astype(np.int64)

    def threshold(self, allowed: int) -> float:
        """The lowest score above which there are at most `allowed` events in all."""
        low, high = 0, len(self.levels) - 1
        while low < high:
            middle = (low + high) // 2
            if len(events(self.scores, float(self.levels[middle]), self.refractory)) <= allowed:
                high = middle
            else:
                low = middle + 1
        return float(self.levels[high])

    @cached_property
    def _groups(self) -> Counts:
        return np.unique([each.group for each in self.recordings], return_inverse=True)[1].astype(np.int64)

    @cached_property
    def _group_of_place(self) -> Counts:
        return np.repeat(self._groups, [len(each.scores) + self.refractory for each in self.recordings])
