"""What is known of a trigger model: scores of recordings that its detectors did not learn from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from thaw.targets.trigger.events import Background, ScoredRecording, Scores
from thaw.targets.trigger.promise import Promise

CLEAN = math.inf
"""The ratio of sound to noise, in decibels, where no noise was mixed in."""

Parting = Literal["groups", "clips", "splits"]
"""How clips were kept from the detector that scored them: in folds of whole groups, in folds of clips, or in a test split."""


@dataclass(frozen=True, eq=False)
class Scored:
    """A recording, and its scores by a detector that did not learn from it, float32 [P], log-odds.

    path: its name. group: recordings of a group (of a speaker, of a microphone) are not independent. word: the trigger in it; None: there is none. hours: its
    length. first_s: where the window of the first score ends, in seconds of `file`. period_s: between two scores. snr: decibels of the noise that was mixed
    in. file: where it can be heard; None: nowhere.
    """

    path: str
    group: str
    word: str | None
    hours: float
    scores: Scores
    first_s: float
    period_s: float
    snr: float = CLEAN
    file: Path | None = None

    @property
    def peak(self) -> float:
        """The highest score; minus infinity if the recording is too short for one."""
        return float(self.scores.max(initial=-math.inf))

    def at_s(self, place: int) -> float:
        """Where the window of a score ends, in seconds of `file`."""
        return self.first_s + place * self.period_s


@dataclass(frozen=True, eq=False)
class Trial:
    """What one detector scored: clips of the trigger, and recordings without it. threshold: the detector's own, at the budget."""

    threshold: float
    clips: tuple[Scored, ...]
    background: Background


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of a trigger model.

    others: recordings without the trigger, scored by the model itself. unheard: they did not tune its threshold either. trials: each clip is in one of them,
    once for each ratio of noise; a test split makes one trial, of the model itself, and folds make one each, of detectors trained like the model.
    """

    word: str
    promise: Promise
    refractory: int
    others: tuple[Scored, ...]
    unheard: bool
    trials: tuple[Trial, ...]
    parted: Parting

    @property
    def clips(self) -> tuple[Scored, ...]:
        """Of all trials."""
        return tuple(clip for trial in self.trials for clip in trial.clips)

    @property
    def ratios(self) -> tuple[float, ...]:
        """The ratios of sound to noise, the least noise first."""
        return tuple(sorted({clip.snr for clip in self.clips}, reverse=True))


def background_of(recordings: Sequence[Scored], refractory: int) -> Background:
    """Recordings without the trigger as sound in which every event is a false accept."""
    return Background([ScoredRecording(each.scores, each.hours, each.group) for each in recordings], refractory)
