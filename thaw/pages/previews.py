"""Previews of examples inside a page that needs no other file: drawings, sounds with a player, texts."""

import base64
from typing import Protocol

from markupsafe import Markup


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


def preview_html(preview: Shown, name: str) -> Markup:
    """An example's preview as HTML; a browser that shows no drawings shows `name`, which is escaped like a text's content."""
    if preview.media_type.startswith("image/"):
        return _drawing(_address(preview.media_type, preview.content), name)
    seen = Markup("") if preview.drawing is None else _drawing(_address("image/png", preview.drawing), name)
    if preview.media_type.startswith("audio/"):
        player = Markup('<audio controls preload="none" src="{}"></audio>')
        return seen + player.format(_address(preview.media_type, preview.content))
    return seen + Markup('<pre class="excerpt" dir="auto">{}</pre>').format(
        preview.content.decode("utf-8", errors="replace")
    )


def _drawing(address: str, name: str) -> Markup:
    return Markup('<img alt="{}" src="{}">').format(name, address)


def _address(media_type: str, content: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"
