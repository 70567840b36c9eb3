"""Previews of examples inside a page that needs no other file: pictures, sounds with a player, texts."""

import base64
from typing import Protocol

from markupsafe import Markup


class Shown(Protocol):
    """What a page shows of an example."""

    @property
    def media_type(self) -> str:
        """Of `content`, as HTTP names it."""

    @property
    def content(self) -> bytes: ...

    @property
    def picture(self) -> bytes | None:
        """A PNG file beside it, of what cannot be seen."""


def preview_html(preview: Shown, name: str) -> Markup:
    """An example's preview as HTML; `name` stands for a picture where it cannot be seen, and is escaped like a text's content."""
    family = preview.media_type.partition("/")[0]
    if family == "image":
        return _image(_address(preview.media_type, preview.content), name)
    seen = Markup("") if preview.picture is None else _image(_address("image/png", preview.picture), name)
    if family == "audio":
        player = Markup('<audio controls preload="none" src="{}"></audio>')
        return seen + player.format(_address(preview.media_type, preview.content))
    return seen + Markup('<pre class="excerpt">{}</pre>').format(preview.content.decode("utf-8", errors="replace"))


def _image(address: str, name: str) -> Markup:
    return Markup('<img alt="{}" src="{}">').format(name, address)


def _address(media_type: str, content: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"
