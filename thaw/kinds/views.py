"""Fixed views of an image: what a head may train on beside the image as it is, each cached like the image itself."""

from collections.abc import Iterable
from typing import Literal

View = Literal["identity", "hflip", "top_left", "top_right", "bottom_left", "bottom_right"]
Views = Literal["identity", "hflip", "five_crop"]
"""As the parameters name them."""

IDENTITY: View = "identity"
CORNERS: tuple[View, ...] = ("top_left", "top_right", "bottom_left", "bottom_right")

_MEANT: dict[Views, tuple[View, ...]] = {
    "identity": (IDENTITY,),
    "hflip": ("hflip",),
    "five_crop": (IDENTITY, *CORNERS),  # its centre is the identity, and not computed twice
}


def expand_views(names: Iterable[Views]) -> tuple[View, ...]:
    """The single views that the names mean, each once, the identity first."""
    meant = (view for name in ("identity", *names) for view in _MEANT[name])
    return tuple(dict.fromkeys(meant))
