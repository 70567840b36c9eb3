"""Previews of examples inside a page that needs no other file: drawings, sounds with a player, texts."""

import base64
from collections.abc import Sequence
from typing import Protocol

from markupsafe import Markup, escape


class Part(Protocol):
    """A part of a text; see `thaw.kinds.parts.Span`."""

    @property
    def start(self) -> int: ...

    @property
    def end(self) -> int: ...


class Marked(Protocol):
    """A part that speaks for or against an answer; see `thaw.kinds.parts.Mark`."""

    @property
    def span(self) -> Part: ...

    @property
    def strength(self) -> float: ...


class Shown(Protocol):
    """A preview; see `thaw.kinds.kind.Preview`."""

    @property
    def media_type(self) -> str:
        """The media type of `content`."""

    @property
    def content(self) -> bytes: ...

    @property
    def drawing(self) -> bytes | None:
        """A PNG file beside it, for an example that cannot be seen."""

    @property
    def marks(self) -> Sequence[Marked]:
        """Of a text, in order."""


def preview_html(preview: Shown, name: str) -> Markup:
    """An example's preview as HTML; a browser that shows no drawings shows `name`, which is escaped like a text's content."""
    if preview.media_type.startswith("image/"):
        return _drawing(_address(preview.media_type, preview.content), name)
    seen = Markup("") if preview.drawing is None else _drawing(_address("image/png", preview.drawing), name)
    if preview.media_type.startswith("audio/"):
        player = Markup('<audio controls preload="none" src="{}"></audio>')
        return seen + player.format(_address(preview.media_type, preview.content))
    text = preview.content.decode("utf-8", errors="replace")
    return seen + Markup('<pre class="excerpt" dir="auto">{}</pre>').format(marked_html(text, preview.marks))


def marked_html(text: str, marks: Sequence[Marked]) -> Markup:
    """A text as HTML, in which the look of the marks tells the side and the strength without colours too.

    The marks are plain inline elements, which change neither the order of letters in scripts from right to left nor their joining within a word.
    """
    html, done = Markup(""), 0
    for mark in marks:
        span = mark.span
        html += escape(text[done : span.start])
        side = "for" if mark.strength > 0 else "against"
        html += Markup('<mark class="{} s{}">{}</mark>').format(side, level(mark.strength), text[span.start : span.end])
        done = span.end
    return html + escape(text[done:])


def level(strength: float) -> int:
    """The strength of a mark, from -1 to 1, as one of three levels."""
    return 1 + (abs(strength) >= 1 / 3) + (abs(strength) >= 2 / 3)


def _drawing(address: str, name: str) -> Markup:
    return Markup('<img alt="{}" src="{}">').format(name, address)


def _address(media_type: str, content: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"
