"""The content of `dvc.lock`: each stage with the files that it read, its parameters and the files that it wrote."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tasks.project.paths import CODE, SETTINGS
from thaw.foundation.errors import BadArtifact

LOCK = Path("dvc.lock")


@dataclass(frozen=True)
class LockedFile:
    """A file or folder by its path, and DVC's hash: MD5, hex; the hash of a folder ends in `.dir`."""

    path: str
    md5: str


@dataclass(frozen=True)
class LockedStage:
    """The last run of a stage."""

    name: str
    deps: tuple[LockedFile, ...] = ()
    outs: tuple[LockedFile, ...] = ()
    params: Mapping[str, object] = field(default_factory=dict)
    """By dotted key; a whole section is a mapping. Of a stage that reads what `settings` wrote: nothing, for that follows from what `settings` took."""
    code: str = ""
    """The digest of the stage's code; empty in locks of versions of Thaw that named folders in its place."""


def parse_lock(text: str, origin: str = str(LOCK)) -> tuple[LockedStage, ...]:
    """The stages of a `dvc.lock`, in its order.

    Raises:
        BadArtifact: the text is no `dvc.lock`; the message names `origin`.
    """
    try:
        stages = YAML(typ="safe").load(text)["stages"]
        return tuple(_stage(name, stage) for name, stage in stages.items())
    except (YAMLError, KeyError, TypeError, AttributeError) as error:
        raise BadArtifact(f"{origin} cannot be read; restore it, or delete it and run `dvc repro`") from error


def _stage(name: str, stage: Mapping[str, Any]) -> LockedStage:
    values = stage.get("params", {})
    handed = (CODE.as_posix(), SETTINGS.as_posix())
    params = {key: value for file, keys in values.items() if file not in handed for key, value in keys.items()}
    code = str(values.get(CODE.as_posix(), {}).get(name, ""))
    return LockedStage(name, _files(stage.get("deps", ())), _files(stage.get("outs", ())), params, code)


def _files(entries: Any) -> tuple[LockedFile, ...]:
    return tuple(LockedFile(str(entry["path"]), str(entry.get("md5", ""))) for entry in entries)
