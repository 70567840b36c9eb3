"""The scores of recordings by detectors that did not learn from them: a cross-validation over groups of recordings."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from thaw.heads.trigger.fitting import DetectorSettings, fit_detector
from thaw.heads.trigger.tuning import HeardRecording
from thaw.targets.trigger.events import Scores

MOST_FOLDS = 3


def held_out_scores(
    word: str, recordings: Sequence[HeardRecording], settings: DetectorSettings
) -> tuple[Scores, ...] | None:
    """The scores of each recording, in order. Recordings of a group are held out together, those with the word and those without it each in folds of their
    own; None: the recordings on a side are of fewer than two groups."""
    shows = np.array([word in each.words for each in recordings], np.bool_)
    groups = np.array([each.group for each in recordings], dtype=object)
    count = min(MOST_FOLDS, *(len(set(groups[shows == side])) for side in (True, False)))
    if count < 2:
        return None
    fold = np.empty(len(recordings), np.int64)
    for side in (True, False):
        fold[shows == side] = _folds(groups[shows == side].tolist(), count, settings.seed)
    scores = dict[int, Scores]()
    for held in range(count):
        learning = [each for each, own in zip(recordings, fold, strict=True) if own != held]
        clips = [each for each in learning if word in each.words]
        detector = fit_detector(
            [each.versions for each in clips],
            [version for each in learning if word not in each.words for version in each.versions],
            settings,
            [each.end for each in clips],
        )
        for place in np.flatnonzero(fold == held).tolist():
            scores[place] = detector.scores(recordings[place].sequence).numpy()
    return tuple(scores[place] for place in range(len(recordings)))


def _folds(groups: Sequence[str], count: int, seed: int) -> NDArray[np.int64]:
    """The fold of each recording; groups are dealt out in a random order."""
    names = sorted(set(groups))
    order = np.random.default_rng(seed).permutation(len(names))
    fold = {names[place]: number % count for number, place in enumerate(order.tolist())}
    return np.array([fold[group] for group in groups], np.int64)
