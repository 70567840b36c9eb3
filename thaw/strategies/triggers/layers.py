"""One new layer or several on the windows of a sound, by cross-validation over groups of recordings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from thaw.foundation.parallel.progress import Progress, untold
from thaw.foundation.statistics.bootstrap import Estimate, Resampling
from thaw.heads.trigger.fitting import DetectorSettings
from thaw.heads.trigger.held_out import held_out_scores
from thaw.heads.trigger.tuning import HeardRecording
from thaw.targets.trigger.events import Background, ScoredRecording
from thaw.targets.trigger.misses import miss_rate

Layers = Literal["linear", "mlp"]
"""One new layer, or several: the strategies of a trigger."""
TOLERANCE = 0.005
"""Several layers are taken unless they miss more by so much."""


@dataclass(frozen=True)
class Trial:
    """The misses of held-out recordings of one word, at a threshold with at most the budget's false accepts an hour on held-out sound; clips, groups: of the
    word. hours: of the sound without it. plain: without a backbone, on log-mel spectra."""

    word: str
    layers: Layers
    misses: Estimate
    clips: int
    groups: int
    hours: float
    plain: bool = False


@dataclass(frozen=True)
class Measurement:
    """What held-out recordings are judged at. rate: false accepts an hour. refractory: places. resampling: behind intervals over groups."""

    rate: float
    refractory: int
    resampling: Resampling


def measure_layers(
    words: Sequence[str],
    recordings: Sequence[HeardRecording],
    settings: Mapping[Layers, DetectorSettings],
    measurement: Measurement,
    progress: Progress = untold,
) -> tuple[Trial, ...]:
    """A trial of each word and number of layers. Recordings of a group are held out together; of words with fewer than two groups on either side there is no
    trial."""
    tasks = [(word, layers) for word in words for layers in settings]
    trials = []
    for number, (word, layers) in enumerate(tasks, 1):
        trials.append(_trial(word, layers, recordings, settings[layers], measurement))
        progress(number, len(tasks))
    return tuple(trial for trial in trials if trial is not None)


def better_layers(trials: Sequence[Trial]) -> Layers:
    """Several, unless one layer misses fewer by more than `TOLERANCE` on average over the words; without trials several."""
    means = mean_misses(trials, plain=False)
    return "linear" if means and means.get("linear", 1.0) < means.get("mlp", 1.0) - TOLERANCE else "mlp"


def mean_misses(trials: Sequence[Trial], *, plain: bool) -> dict[Layers, float]:
    """The mean misses over the words, by the number of layers, with a backbone or without."""
    own = [trial for trial in trials if trial.plain == plain]
    return {
        layers: float(np.mean([trial.misses.value for trial in own if trial.layers == layers]))
        for layers in {trial.layers for trial in own}
    }


def _trial(
    word: str,
    layers: Layers,
    recordings: Sequence[HeardRecording],
    settings: DetectorSettings,
    measurement: Measurement,
) -> Trial | None:
    scores = held_out_scores(word, recordings, settings)
    if scores is None:
        return None
    peaks = np.array([own.max() for each, own in zip(recordings, scores, strict=True) if word in each.words])
    groups = [each.group for each in recordings if word in each.words]
    scored = [
        ScoredRecording(own, each.hours, each.group)
        for each, own in zip(recordings, scores, strict=True)
        if word not in each.words
    ]
    background = Background(scored, measurement.refractory)
    threshold = background.threshold(int(measurement.rate * background.hours))
    return Trial(
        word,
        layers,
        miss_rate(peaks, threshold, groups, measurement.resampling),
        len(groups),
        len(set(groups)),
        background.hours,
    )
