"""The providers by prefix; a library is imported where a name has its prefix."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from thaw.backbones.providers.names import Provided
from thaw.backbones.providers.provider import Provider


def _timm() -> Provider:
    from thaw.backbones.providers.timm_provider import TimmProvider

    return TimmProvider()


def _hf() -> Provider:
    from thaw.backbones.providers.hf_provider import HfProvider

    return HfProvider()


def _xrv() -> Provider:
    from thaw.backbones.providers.xrv_provider import XrvProvider

    return XrvProvider()


PROVIDERS: Mapping[str, Callable[[], Provider]] = {"timm": _timm, "hf": _hf, "xrv": _xrv}
"""Functions that import a provider."""


def provider_of(provided: Provided) -> Provider:
    """The provider of a name."""
    return PROVIDERS[provided.prefix]()
