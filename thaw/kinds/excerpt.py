"""The excerpt of a text around its marks, for a page."""

from collections.abc import Sequence

from thaw.kinds.kind import Preview
from thaw.kinds.parts import Mark, Span

LONGEST = 600
"""Characters of an excerpt, without a word more."""
_BEFORE = LONGEST // 3
"""Characters before the strongest mark."""
_WORD = 40
"""The furthest that a cut is moved to lie between words."""


def marked_excerpt(text: str, marks: Sequence[Mark]) -> Preview:
    """The beginning of a text, or what lies around the strongest mark if that is not in the beginning; marks that are cut off are left out."""
    strongest = max(marks, key=lambda mark: abs(mark.strength), default=Mark(Span(0, 0), 0.0)).span
    start = 0 if strongest.end <= LONGEST else _between_words(text, max(0, strongest.start - _BEFORE))
    end = len(text) if len(text) - start <= LONGEST else _between_words(text, max(start + LONGEST, strongest.end))
    before, after = "… " if start else "", " …" if end < len(text) else ""
    shift = len(before) - start
    kept = tuple(
        Mark(Span(mark.span.start + shift, mark.span.end + shift), mark.strength)
        for mark in marks
        if start <= mark.span.start and mark.span.end <= end
    )
    return Preview("text/plain", f"{before}{text[start:end]}{after}".encode(), marks=kept)


def _between_words(text: str, place: int) -> int:
    """The place, moved forward to the next space if one is near."""
    near = (each for each in range(place, min(place + _WORD, len(text))) if text[each].isspace())
    return next(near, place)
