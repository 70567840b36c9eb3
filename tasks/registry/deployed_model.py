"""A deployed model in its own folder: downloaded from MLflow once for each model, and read without MLflow's loader."""

import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tasks.registry.mlflow_store import STATE
from tasks.registry.model_files import PredictorFiles, bring_predictor_files, find_predictor_files
from tasks.registry.registry import CHAMPION, ModelVersion, Registry
from thaw.foundation.errors import BadArtifact, RegistryError
from thaw.foundation.files.atomic import digest_bytes, digest_file, sync
from thaw.models.prediction.predictor import Predictor
from thaw.models.prediction.trigger_predictor import TriggerPredictor

MODELS = STATE / "models"
"""A folder for each downloaded model; a deleted folder costs another download."""
MOST_MODELS = 8
"""The number of models to keep; those of the latest use are kept."""
_REGISTERED = re.compile(r"models:/(?P<name>[^/@]+)(/(?P<number>\d+)|@(?P<alias>.+))")


@dataclass(frozen=True, eq=False)
class Deployed:
    """A model and its origin. version: its number; empty if it is in no registry. fingerprint: of the features that its version was trained on; empty if it is
    unknown. key: a hash, hex, of the model's own files.
    """

    name: str
    version: str
    fingerprint: str
    predictor: Predictor
    key: str


def read_deployed(registry: Registry, uri: str | None = None) -> Deployed:
    """The model at an MLflow URI (`models:/NAME/3`, `models:/NAME@champion`, `runs:/...`, a folder); None: the champion.

    Raises:
        RegistryError: there is no such model, no champion, or it is no model of Thaw.
        Unreachable: MLflow does not answer.
        BadArtifact: its files are torn, also after a new download.
    """
    version = find_version(registry, uri)
    where = version.uri if version else str(uri)
    folder = bring_model(where)
    try:
        predictor, key = Predictor.read(folder), _key(folder)
    except (BadArtifact, OSError):
        shutil.rmtree(folder, ignore_errors=True)  # torn since the download, or gone
        folder = bring_model(where)
        predictor, key = Predictor.read(folder), _key(folder)
    named = (version.name, str(version.number)) if version else (where, "")
    return Deployed(*named, version.tags.get("thaw.fingerprint", "") if version else "", predictor, key)


def read_triggers(registry: Registry, uri: str | None = None) -> TriggerPredictor:
    """The model of triggers at an MLflow URI, or the champion; see `read_deployed`.

    Raises:
        RegistryError, Unreachable, BadArtifact: see `read_deployed`; or the model hears no triggers.
    """
    version = find_version(registry, uri)
    return TriggerPredictor.read(bring_model(version.uri if version else str(uri)))


def find_version(registry: Registry, uri: str | None) -> ModelVersion | None:
    """The version of a model URI; without a URI the champion of `registry`; None if the URI names no version of a registry.

    Raises:
        RegistryError: there is no such version, or no version has the alias.
    """
    match = _REGISTERED.fullmatch(uri or f"models:/{registry.name}@{CHAMPION}")
    if match is None:
        return None
    named = Registry(registry.client, match["name"])
    if match["number"]:
        return named.version(int(match["number"]))
    version = named.by_alias(match["alias"])
    if version is None:
        made = "`thaw run` makes one" if match["alias"] == CHAMPION else "`thaw models` lists the aliases"
        raise RegistryError(f"{named.name} has no {match['alias']} yet; {made}, or name a version with --model")
    return version


def bring_model(uri: str) -> Path:
    """The folder of a model below `MODELS`; if it is missing it is downloaded, whole or not at all."""
    if ":" not in uri:
        _check_folder(Path(uri))
    try:
        files = find_predictor_files(uri)
        if files is None:
            raise RegistryError(f"{uri} holds no model that Thaw has registered; name another model with --model")
        folder = MODELS / digest_bytes(files.identity.encode()).hex()[:24]
        if not folder.is_dir():
            _download(files, folder)
            _keep_the_latest()
    except OSError as error:
        raise RegistryError(f"{uri} cannot be read ({error}); name another model with --model") from error
    with suppress(OSError):  # the folder may belong to another user
        os.utime(folder)
    return folder


def _download(files: PredictorFiles, folder: Path) -> None:
    MODELS.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=MODELS, prefix=".tmp-") as scratch:
        brought = bring_predictor_files(files, Path(scratch))
        for file in brought.iterdir():
            sync(file)
        try:
            brought.rename(folder)
        except OSError:  # another process was faster
            if not folder.is_dir():
                raise


def _keep_the_latest() -> None:
    """Delete all models except those of the latest use; a process that reads a deleted model downloads it again."""

    def used(folder: Path) -> float:
        try:
            return folder.stat().st_mtime
        except FileNotFoundError:  # another process deletes models as well
            return 0.0

    folders = sorted(MODELS.glob("[!.]*"), key=used)
    for folder in folders[:-MOST_MODELS]:
        shutil.rmtree(folder, ignore_errors=True)


def _check_folder(folder: Path) -> None:
    if not folder.exists():
        raise RegistryError(
            f"there is no folder {folder}; name a model, such as models:/NAME/3, or the folder of a model"
        )
    if not (folder / "MLmodel").is_file():
        raise RegistryError(f"{folder} is no model of Thaw: it has no file MLmodel; `thaw models` lists the versions")


def _key(folder: Path) -> str:
    files = sorted(file for file in folder.iterdir() if file.is_file())
    return digest_bytes("".join(f"{file.name} {digest_file(file).hex()}\n" for file in files).encode()).hex()
