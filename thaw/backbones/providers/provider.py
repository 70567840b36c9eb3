"""The border of providers: all that other code knows of a library that brings networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from thaw.backbones.converting.source import Made
from thaw.backbones.providers.origin import Origin

Tell = Callable[[str], None]
"""A function that shows a sentence: where weights come from, their licence and their size."""


class Provider(Protocol):
    """A library. Names are those behind its prefix: `resnet50.a1_in1k` of `timm/resnet50.a1_in1k`."""

    def refuse_unknown(self, name: str) -> None:
        """Check that `made` can make a backbone of that name; nothing is downloaded.

        Raises:
            BadWeights: it cannot; the message names similar names.
            BadParameters: the library is not installed.
        """

    def origin(self, name: str) -> Origin:
        """The origin of the weights of a name, as far as it is known without a network."""

    def made(self, name: str, tell: Tell) -> Made:
        """The backbone of a name: its tensors, with the architecture, the preprocessing and the origin in the metadata.

        Raises:
            Unreachable: the weights are not in the library's cache, and cannot be downloaded; the message says where to lay them by hand.
            BadWeights: they are damaged, or do not fit.
        """
