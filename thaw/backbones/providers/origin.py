"""The origin of weights: their place, licence and size, kept beside them in their file."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from thaw.foundation.files.downloads import size_of

KEY = "origin"
"""The key of the origin in a file's metadata."""
NOT_STATED = "not stated"
_FORBIDDEN = re.compile(r"(?:^|[-_ ])nc(?:[-_ ]|$)|non-?commercial", re.IGNORECASE)
_RESEARCH_ONLY = frozenset({"apple-amlr", "seer-license", "sapiens2-license"})
"""Licences for research alone whose names do not say so."""
_OWN_TERMS = re.compile(r"(?:-license|-ascl|^other|^gemma|^llama|^qwen-community)", re.IGNORECASE)
"""Licences that a company wrote for its own models."""


@dataclass(frozen=True)
class Origin:
    """source: an address or a folder. licence: as it is stated there. nbytes: of the weights. tags: words of the library on the weights, such as
    `lvd142m`."""

    source: str
    licence: str = NOT_STATED
    nbytes: int | None = None
    tags: tuple[str, ...] = ()

    def __str__(self) -> str:
        size = "" if self.nbytes is None else f", {size_of(self.nbytes)}"
        return f"{self.source} (licence: {self.licence}{size})"

    @property
    def caution(self) -> str | None:
        """What a company must know before it uses the weights, as the end of a sentence; None: the licence is a usual free one."""
        if self.licence in (NOT_STATED, "unknown"):
            return "no licence is stated, so nothing allows their use"
        if _FORBIDDEN.search(self.licence) or self.licence in _RESEARCH_ONLY:
            return f"the licence {self.licence} forbids commercial use"
        if _OWN_TERMS.search(self.licence):
            return f"the licence {self.licence} has its own terms; read them before commercial use"
        return None


_ADAPTER = TypeAdapter(Origin)


def origin_in(metadata: Mapping[str, str]) -> Origin | None:
    """The origin that a file's metadata states; None: it states none."""
    try:
        return _ADAPTER.validate_json(metadata[KEY]) if KEY in metadata else None
    except ValidationError:
        return None


def stated(origin: Origin) -> str:
    """The inverse of `origin_in`, as canonical JSON."""
    return _ADAPTER.dump_json(origin).decode()
