"""Excerpts around moments, to look at and to listen to; a page has a few of them, however long the recordings are."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from thaw.evaluation.trigger.measures import Moment
from thaw.foundation.errors import BadExample
from thaw.kinds.kind import Kind, Limits, Preview
from thaw.kinds.recordings import piece_of

BEFORE_S, AFTER_S = 1.7, 0.3
"""The excerpt's length before and after the end of the window that was scored."""


@dataclass(frozen=True, eq=False)
class Excerpt:
    """preview: None where the recording cannot be read any more, or is silent there."""

    moment: Moment
    preview: Preview | None


def excerpts(moments: Sequence[Moment], kind: Kind) -> tuple[Excerpt, ...]:
    """Read the excerpts; kind: that of the recordings."""
    return tuple(Excerpt(moment, _preview(moment, kind)) for moment in moments)


def _preview(moment: Moment, kind: Kind) -> Preview | None:
    file = moment.scored.file
    return None if file is None else excerpt(file, moment.at_s, kind)


def excerpt(file: Path, at_s: float, kind: Kind, *, before: float = BEFORE_S, after: float = AFTER_S) -> Preview | None:
    """The preview of a recording from `before` to `after` seconds around a moment; None where it cannot be read, or is silent there."""
    try:
        return kind.preview(piece_of(file, max(0.0, at_s - before), max(0.0, at_s) + after), Limits())
    except (OSError, BadExample):
        return None
