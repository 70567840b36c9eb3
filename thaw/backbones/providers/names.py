"""Names with a provider's prefix, and the files that stand for them below `data/weights`; no library is imported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PREFIXES = ("timm", "hf", "xrv")
TORCHVISION = "torchvision/"
"""torchvision's names are the same without it, because they had none before there were providers."""
ENDING = ".safetensors"
SLASH = "--"
"""In the place of slashes in names of files."""


@dataclass(frozen=True)
class Provided:
    """A name of a provider. prefix: `timm`. name: what stands behind it."""

    prefix: str
    name: str

    def __str__(self) -> str:
        return f"{self.prefix}/{self.name}"

    @property
    def file(self) -> str:
        """The file of its weights: `timm--resnet50.a1_in1k.safetensors`."""
        return f"{str(self).replace('/', SLASH)}{ENDING}"


def provided(name: str) -> Provided | None:
    """A name with a provider's prefix; None: it has none, or it is a file."""
    prefix, _, rest = name.partition("/")
    if prefix not in PREFIXES or not rest or Path(name).is_file() or name.endswith(ENDING):
        return None
    return Provided(prefix, rest.rstrip("/"))


def provided_in(file: str) -> Provided | None:
    """The inverse of `Provided.file`; None: the file has no name of a provider."""
    if not file.endswith(ENDING):
        return None
    return provided(file.removesuffix(ENDING).replace(SLASH, "/"))
