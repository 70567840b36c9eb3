"""Excerpts around moments, to look at and to listen to; a page has a few of them, however long the recordings are."""

from collections.abc import Sequence
from dataclasses import dataclass

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
    if file is None:
        return None
    try:
        content = piece_of(file, max(0.0, moment.at_s - BEFORE_S), max(0.0, moment.at_s) + AFTER_S)
        return kind.preview(content, Limits())
    except (OSError, BadExample):
        return None
