"""The origin of networks on Hugging Face, from their cards: the licence in the header of README.md, or as the hub's interface states it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thaw.backbones.providers.hub import PLACE
from thaw.backbones.providers.origin import NOT_STATED, Origin
from thaw.backbones.providers.packages import package

_EXTRA = "hf"
_SECONDS = 10.0


def folder_origin(folder: Path) -> Origin:
    """The origin of a folder's network."""
    files = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.bin"))
    return Origin(str(folder), licence_in(folder / "README.md"), sum(file.stat().st_size for file in files) or None)


def cached_origin(name: str) -> Origin:
    """The origin of `ORG/NAME`, as far as the hub's cache holds its card."""
    hub = package("huggingface_hub", _EXTRA)
    card = hub.try_to_load_from_cache(name, "README.md")
    return Origin(f"{PLACE}/{name}", licence_in(Path(card)) if isinstance(card, str) else NOT_STATED)


def stated_origin(name: str) -> Origin:
    """The origin of `ORG/NAME` as the hub states it; offline that of `cached_origin`."""
    hub, errors = package("huggingface_hub", _EXTRA), package("huggingface_hub.errors", _EXTRA)
    try:
        stated = hub.HfApi().model_info(name, files_metadata=True, timeout=_SECONDS)
    except (errors.HfHubHTTPError, errors.OfflineModeIsEnabled, OSError):
        return cached_origin(name)
    sizes = {file.rfilename: file.size for file in stated.siblings or ()}
    nbytes = sizes.get("model.safetensors", sizes.get("pytorch_model.bin"))
    licence = _licence(stated.card_data.to_dict() if stated.card_data else {})
    return Origin(f"{PLACE}/{name}", licence, nbytes, ("gated",) if stated.gated else ())


def licence_in(card: Path) -> str:
    """The licence in the header of a card, which may be missing or damaged."""
    damaged: type[Exception] = package("yaml", _EXTRA).YAMLError
    try:
        return _licence(package("huggingface_hub", _EXTRA).metadata_load(card) or {})
    except (OSError, ValueError, damaged):
        return NOT_STATED


def _licence(header: Mapping[str, Any]) -> str:
    """Its own name counts more than the word `other`."""
    return str(header.get("license_name") or header.get("license") or NOT_STATED)
