"""A deployed model as its own folder, out of MLflow: brought here once for each model, without MLflow's way of loading it."""

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
from thaw.models.predictor import Predictor

MODELS = STATE / "models"
"""A folder for each model that was brought here; deleting one costs another download."""
MOST_MODELS = 8
"""How many are kept: those that were used last."""
_REGISTERED = re.compile(r"models:/(?P<name>[^/@]+)(/(?P<number>\d+)|@(?P<alias>.+))")


@dataclass(frozen=True, eq=False)
class Deployed:
    """A model, and where it comes from. version: its number, empty where it is in no registry. fingerprint: of the features that its version was trained on,
    empty where nothing says so. key: a hash, hex, of the model's own files.
    """

    name: str
    version: str
    fingerprint: str
    predictor: Predictor
    key: str


def read_deployed(registry: Registry, uri: str | None = None) -> Deployed:
    """The model at an MLflow URI (`models:/NAME/3`, `models:/NAME@champion`, `runs:/...`, a folder); None: the champion.

    Raises:
        RegistryError: there is no such model, no champion, or it is none of Thaw's.
        Unreachable: MLflow does not answer.
        BadArtifact: its files are torn, and so are those that were brought anew.
    """
    version = find_version(registry, uri)
    where = version.uri if version else str(uri)
    folder = _bring(where)
    try:
        predictor, key = Predictor.read(folder), _key(folder)
    except (BadArtifact, OSError):
        shutil.rmtree(folder, ignore_errors=True)  # torn since it was brought, or gone
        folder = _bring(where)
        predictor, key = Predictor.read(folder), _key(folder)
    named = (version.name, str(version.number)) if version else (where, "")
    return Deployed(*named, version.tags.get("thaw.fingerprint", "") if version else "", predictor, key)


def find_version(registry: Registry, uri: str | None) -> ModelVersion | None:
    """The version that a model URI means, None: the champion of `registry`; None where it names none of a registry.

    Raises:
        RegistryError: there is no such version, or none has the alias.
    """
    found = _REGISTERED.fullmatch(uri or f"models:/{registry.name}@{CHAMPION}")
    if found is None:
        return None
    named = Registry(registry.client, found["name"])
    if found["number"]:
        return named.version(int(found["number"]))
    version = named.by_alias(found["alias"])
    if version is None:
        made = "`thaw run` makes one" if found["alias"] == CHAMPION else "`thaw models` lists those that there are"
        raise RegistryError(f"{named.name} has no {found['alias']} yet; {made}, or name a version with --model")
    return version


def _bring(uri: str) -> Path:
    """The folder of a model below `MODELS`; downloaded where it is not there, whole or not at all."""
    if ":" not in uri:
        _check_folder(Path(uri))
    try:
        files = find_predictor_files(uri)
        if files is None:
            raise RegistryError(f"{uri} holds no model that Thaw has registered; name another with --model")
        folder = MODELS / digest_bytes(files.identity.encode()).hex()[:24]
        if not folder.is_dir():
            _download(files, folder)
            _keep_the_latest()
    except OSError as error:
        raise RegistryError(f"{uri} cannot be read ({error}); name another model with --model") from error
    with suppress(OSError):  # it may be somebody else's
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
    """Delete all but those that were used last; whoever reads one that goes brings it anew."""

    def used(folder: Path) -> float:
        try:
            return folder.stat().st_mtime
        except FileNotFoundError:  # another process tidies up as well
            return 0.0

    folders = sorted(MODELS.glob("[!.]*"), key=used)
    for folder in folders[:-MOST_MODELS]:
        shutil.rmtree(folder, ignore_errors=True)


def _check_folder(folder: Path) -> None:
    if not folder.exists():
        raise RegistryError(
            f"there is no folder {folder}; name a model, such as models:/NAME/3, or the folder that holds one"
        )
    if not (folder / "MLmodel").is_file():
        raise RegistryError(
            f"{folder} is no model of Thaw's that can be read: it has no file MLmodel; `thaw models` lists the versions"
        )


def _key(folder: Path) -> str:
    files = sorted(file for file in folder.iterdir() if file.is_file())
    return digest_bytes("".join(f"{file.name} {digest_file(file).hex()}\n" for file in files).encode()).hex()
