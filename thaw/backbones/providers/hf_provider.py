"""The provider `hf`: vision towers of Hugging Face's hub by `ORG/NAME`, or of a folder, loaded by transformers' own code; no code of theirs is run."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from thaw.backbones.converting.source import Made
from thaw.backbones.converting.transformers_folders import settings_in
from thaw.backbones.providers.hf_cards import cached_origin, folder_origin, stated_origin
from thaw.backbones.providers.hf_networks import PREFIX
from thaw.backbones.providers.hf_weights import made_of, read_by_transformers
from thaw.backbones.providers.hub import brought
from thaw.backbones.providers.origin import Origin
from thaw.backbones.providers.packages import package
from thaw.backbones.providers.provider import Tell
from thaw.foundation.errors import BadWeights
from thaw.foundation.parallel.progress import Progress

_NAME = re.compile(r"(?P<place>.+?)(?:@(?P<side>\d+))?")
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


class HfProvider:
    """See `thaw.backbones.providers.provider.Provider`."""

    def refuse_unknown(self, name: str) -> None:
        """See `Provider`; whether the hub has a name is found when it is brought."""
        package("transformers", "hf")
        place, _ = _parts(name)
        if not (Path(place) / "config.json").is_file() and not _HUB_NAME.fullmatch(place):
            raise BadWeights(
                f"backbone.weights: {PREFIX}{name} is neither a folder with a config.json nor ORG/NAME on Hugging Face; "
                f"an example is {PREFIX}facebook/dinov2-small"
            )

    def origin(self, name: str) -> Origin:
        """See `Provider`; the licence is that of the model's card, where the card is here."""
        place, _ = _parts(name)
        return folder_origin(Path(place)) if Path(place).is_dir() else cached_origin(place)

    def made(self, name: str, tell: Tell) -> Made:
        """See `Provider`."""
        self.refuse_unknown(name)
        place, side = _parts(name)
        is_folder = Path(place).is_dir()
        origin = folder_origin(Path(place)) if is_folder else stated_origin(place)
        tell(f"bringing {origin}" + (f"; {origin.caution}" if origin.caution else ""))
        hub: AbstractContextManager[None] = nullcontext() if is_folder else brought(f"{PREFIX}{name}", place, "hf")
        with read_by_transformers(place), hub:
            return made_of(place, side, origin)


def _parts(name: str) -> tuple[str, int | None]:
    """The folder or `ORG/NAME`, and the side of the input behind `@`."""
    found = _NAME.fullmatch(name)
    assert found is not None, "names are not empty"
    return found["place"], int(found["side"]) if found["side"] else None


def is_tower(folder: Path) -> bool:
    """Whether a folder's config.json describes a vision tower, alone or beside a text tower; no library is imported."""
    if not (folder / "config.json").is_file():
        return False
    settings = settings_in(folder / "config.json")
    return "vision_config" in settings or ("image_size" in settings and "patch_size" in settings)


def tower_in(source: Path, progress: Progress) -> Made | None:
    """The backbone of a folder with a vision tower; None: it is no such folder. progress: is not told of, the library reads at once.

    Raises:
        BadWeights: the folder lacks a file, one of them is damaged, or the network is of another family.
        BadParameters: transformers is not installed.
    """
    if not is_tower(source):
        return None
    return HfProvider().made(str(source), lambda sentence: None)
