"""Misses of two models at one common budget of false accepts, on the same clips: each model at its own threshold for it.

A clip is heard at a budget if some threshold below its highest score keeps the budget on the sound of the same test without the trigger. So one number a clip,
the false accepts an hour at its highest score, tells whether it is heard at any budget.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from thaw.foundation.files.records import read_record, write_record
from thaw.foundation.statistics.bootstrap import Estimate, Resampling
from thaw.targets.trigger.events import Background
from thaw.targets.trigger.evidence import Scored
from thaw.targets.trigger.misses import miss_difference


@dataclass(frozen=True)
class HeardClip:
    """digest: of the recording, hex. an_hour: the false accepts an hour of a threshold right below its highest score."""

    digest: str
    group: str
    an_hour: float


@dataclass(frozen=True)
class HeardClips:
    """The test clips of a word. budget: the false accepts an hour that the model was tuned to."""

    word: str
    budget: float
    clips: tuple[HeardClip, ...]

    def missed(self, budget: float) -> dict[str, bool]:
        """Whether each clip, by its digest, is missed at a budget."""
        return {clip.digest: clip.an_hour > budget for clip in self.clips}


def heard_clips(
    word: str, budget: float, clips: Sequence[Scored], digests: Sequence[bytes], background: Background
) -> HeardClips:
    """The record of a word; digests: of the clips."""
    rates = [_rate_below(clip.peak, background) for clip in clips]
    return HeardClips(
        word,
        budget,
        tuple(
            HeardClip(digest.hex(), clip.group, rate) for clip, digest, rate in zip(clips, digests, rates, strict=True)
        ),
    )


def _rate_below(peak: float, background: Background) -> float:
    threshold = float(np.nextafter(np.float32(peak), np.float32(-np.inf)))
    return float(background.false_accepts(threshold).sum()) / background.hours


@dataclass(frozen=True)
class MissesCompared:
    """more: the share of clips that the challenger misses, less that of the champion, paired, over groups. budget: of both. clips: of both."""

    word: str
    budget: float
    clips: int
    champion: float
    challenger: float
    more: Estimate


def compare_misses(champion: HeardClips, challenger: HeardClips, resampling: Resampling) -> MissesCompared | None:
    """Both at the challenger's budget, on the clips that both have; None if they have none in common."""
    before, after = champion.missed(challenger.budget), challenger.missed(challenger.budget)
    common = [clip for clip in challenger.clips if clip.digest in before]
    if not common:
        return None
    old, new = (np.array([each[clip.digest] for clip in common]) for each in (before, after))
    more = miss_difference(old, new, [clip.group for clip in common], resampling)
    return MissesCompared(challenger.word, challenger.budget, len(common), float(old.mean()), float(new.mean()), more)


_ADAPTER = TypeAdapter(tuple[HeardClips, ...])


def write_heard_clips(words: Sequence[HeardClips], path: Path) -> None:
    """Write them as JSON, atomically, for the gates of a promotion."""
    write_record(_ADAPTER, tuple(words), path)


def read_heard_clips(path: Path) -> tuple[HeardClips, ...]:
    """Read those of `write_heard_clips`.

    Raises:
        BadArtifact: the file is missing, damaged, or of another version.
    """
    return read_record(
        _ADAPTER,
        path,
        lambda _: f"{path} holds no heard clips of this version; run `thaw run --stage evaluate` to make it again",
    )
