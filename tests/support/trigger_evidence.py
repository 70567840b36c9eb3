"""Evidence of a trigger that nobody trained, with numbers that are easy to check."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from thaw.targets.trigger.evidence import CLEAN, Evidence, Scored, Trial, background_of
from thaw.targets.trigger.promise import Budget, promise

WORD, REFRACTORY, PERIOD_S, FIRST_S = "view glass", 25, 0.08, 1.5
RECORDED_S = 36


def scored(
    scores: Sequence[float] | np.ndarray,
    *,
    name: str = "a.flac",
    group: str = "a",
    word: str | None = None,
    snr: float = CLEAN,
    file: Path | None = None,
) -> Scored:
    values = np.asarray(scores, np.float32)
    hours = (FIRST_S + PERIOD_S * len(values)) / 3600
    return Scored(name, group, word, hours, values, FIRST_S, PERIOD_S, snr, file)


def recordings(count: int, seed: int = 0, file: Path | None = None) -> tuple[Scored, ...]:
    """Of 36 seconds each, of a group each, whose scores lie around -6."""
    draw = np.random.default_rng(seed)
    places = round(RECORDED_S / PERIOD_S)
    return tuple(
        scored(draw.normal(-6, 1.5, places), name=f"{number}.flac", group=f"person {number}", file=file)
        for number in range(count)
    )


def clips(peaks: Sequence[float], *, groups: int, snr: float = CLEAN, file: Path | None = None) -> tuple[Scored, ...]:
    """A clip for each peak, which is its score at 1.9 s."""
    return tuple(
        scored([peak - 5] * 5 + [peak] + [peak - 5] * 5, name=f"{place}.flac", group=f"speaker {place % groups}", word=WORD, snr=snr, file=file)
        for place, peak in enumerate(peaks)
    )  # fmt: skip


def evidence_of(
    peaks: dict[float, Sequence[float]], *, groups: int = 2, hours: float = 1.0, budget: float = 10.0, file: Path | None = None
) -> Evidence:  # fmt: skip
    """Of one detector on a test split; peaks: of the clips, less the threshold, by ratio of noise."""
    others = recordings(round(hours * 3600 / RECORDED_S), file=file)
    background = background_of(others, REFRACTORY)
    found = promise(background, Budget(budget))
    own = tuple(
        clip
        for snr, each in peaks.items()
        for clip in clips([found.threshold + peak for peak in each], groups=groups, snr=snr, file=file)
    )
    trial = Trial(found.threshold, own, background)
    return Evidence(WORD, found, REFRACTORY, others, unheard=True, trials=(trial,), parted="splits")


def in_folds(evidence: Evidence, shift: float = 3.0) -> Evidence:
    """The same in two folds, the second with all scores and the threshold higher by `shift`."""
    (trial,) = evidence.trials
    moved = [replace(each, scores=each.scores + np.float32(shift)) for each in evidence.others]
    higher = [replace(each, scores=each.scores + np.float32(shift)) for each in trial.clips]
    folds = (
        replace(trial, clips=tuple(each for each in trial.clips if each.group.endswith("0"))),
        Trial(
            float(np.float32(trial.threshold) + np.float32(shift)),
            tuple(each for each in higher if not each.group.endswith("0")),
            background_of(moved, REFRACTORY),
        ),
    )
    return replace(evidence, trials=folds, parted="groups", unheard=False)
