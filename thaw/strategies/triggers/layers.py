"""One new layer or several on the windows of a sound, by cross-validation over groups of recordings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from thaw.foundation.parallel.progress import Progress, untold
from thaw.foundation.statistics.bootstrap import Estimate, Resampling
from thaw.heads.trigger.fitting import DetectorSettings, fit_detector
from thaw.heads.trigger.tuning import HeardRecording
from thaw.targets.trigger.events import Background, ScoredRecording
from thaw.targets.trigger.misses import miss_rate

Layers = Literal["linear", "mlp"]
"""One new layer, or several: the strategies of a trigger."""
MOST_FOLDS = 3
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
    clips = [each for each in recordings if word in each.words]
    others = [each for each in recordings if word not in each.words]
    count = min(MOST_FOLDS, *(len({each.group for each in side}) for side in (clips, others)))
    if count < 2:
        return None
    folds = [_folds(side, count, settings.seed) for side in (clips, others)]
    peaks = np.empty(len(clips), np.float32)
    scored: list[ScoredRecording] = []
    for fold in range(count):
        training = [each for each, own in zip(clips, folds[0], strict=True) if own != fold]
        detector = fit_detector(
            [each.versions for each in training],
            [version for each, own in zip(others, folds[1], strict=True) if own != fold for version in each.versions],
            settings,
            [each.end for each in training],
        )
        for place in np.flatnonzero(folds[0] == fold):
            peaks[place] = float(detector.scores(clips[place].sequence).max())
        held = (each for each, own in zip(others, folds[1], strict=True) if own == fold)
        scored += [ScoredRecording(detector.scores(each.sequence).numpy(), each.hours, each.group) for each in held]
    background = Background(scored, measurement.refractory)
    threshold = background.threshold(int(measurement.rate * background.hours))
    groups = [each.group for each in clips]
    return Trial(
        word,
        layers,
        miss_rate(peaks, threshold, groups, measurement.resampling),
        len(clips),
        len(set(groups)),
        background.hours,
    )


def _folds(recordings: Sequence[HeardRecording], count: int, seed: int) -> NDArray[np.int64]:
    """The fold of each recording; groups are dealt out in a random order."""
    groups = sorted({each.group for each in recordings})
    order = np.random.default_rng(seed).permutation(len(groups))
    fold = {groups[place]: number % count for number, place in enumerate(order.tolist())}
    return np.array([fold[each.group] for each in recordings], np.int64)
