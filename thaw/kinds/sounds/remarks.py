"""Sentences on a set of sounds: rates, and sounds that are clipped or very quiet."""

from collections.abc import Mapping, Sequence

from thaw.kinds.kind import SetDecoding, Stored
from thaw.kinds.sounds.files import CLIPPED, QUIET

NETWORKS_RATE = 16_000
"""The rate that most networks of sounds take, in samples a second."""


def remarks_on_set(stored: Mapping[str, Stored]) -> SetDecoding:
    """Sounds need no decoding of their own; the notes are on low rates, the warnings on sounds that are clipped or very quiet. stored: by path."""
    slow = sorted(path for path, sound in stored.items() if (sound.rate or NETWORKS_RATE) < NETWORKS_RATE)
    notes = [
        f"Sounds of fewer than 16,000 samples a second: {len(slow)}, such as {_such_as(slow, stored)}. They are resampled; higher tones than half their "
        "own rate are not in them, so use the model on sounds of the same kind."
    ]
    clipped, quiet = _with(CLIPPED, stored), _with(QUIET, stored)
    warnings = [
        f"Sounds that are clipped, with more than one of 1,000 values at full scale: {len(clipped)}, such as `{_first(clipped)}`. Record them at a lower gain.",
        f"Sounds that are very quiet, with a peak below 1% of full scale: {len(quiet)}, such as `{_first(quiet)}`. Look at whether they hold what they should.",
    ]
    return SetDecoding(
        notes=tuple(notes if slow else ()),
        warnings=tuple(sentence for sentence, paths in zip(warnings, (clipped, quiet), strict=True) if paths),
    )


def _with(remark: str, stored: Mapping[str, Stored]) -> list[str]:
    return sorted(path for path, sound in stored.items() if remark in sound.remarks)


def _first(paths: Sequence[str]) -> str:
    return next(iter(paths), "")


def _such_as(paths: Sequence[str], stored: Mapping[str, Stored]) -> str:
    return f"`{paths[0]}` with {stored[paths[0]].rate:,}" if paths else ""
