"""A version of the registry ready to answer: its predictor and its gallery, read without running any code of the version."""

import re
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tasks.registry.model_files import bring_predictor_files, find_predictor_files
from tasks.registry.registry import CHAMPION, ModelVersion, Registry, explained
from thaw.foundation.errors import BadArtifact, BadParameters, RegistryError
from thaw.models.gallery import FILE, Gallery, read_gallery
from thaw.models.prediction.predictor import Predictor
from thaw.models.serving.gate import TRACING

_URI = re.compile(r"models:/(?P<name>[^/:@]+)(@(?P<alias>[\w.-]+)|/(?P<number>\d+))")


@dataclass(frozen=True)
class Wanted:
    """The version to serve: the present version of an alias, or a fixed number. Exactly one of the two is given."""

    name: str
    alias: str | None
    number: int | None

    def __str__(self) -> str:
        return f"models:/{self.name}@{self.alias}" if self.alias else f"models:/{self.name}/{self.number}"


def wanted_of(uri: str | None, name: str) -> Wanted:
    """The version that an MLflow model URI names; None: the champion of the model `name`.

    Raises:
        BadParameters: the URI is neither `models:/NAME@ALIAS` nor `models:/NAME/NUMBER`.
    """
    if uri is None:
        return Wanted(name, CHAMPION, None)
    match = _URI.fullmatch(uri)
    if match is None:
        raise BadParameters(
            f"{uri!r} names no version of a registered model; give models:/{name}@{CHAMPION} or models:/{name}/1"
        )
    number = match["number"]
    return Wanted(match["name"], match["alias"], None if number is None else int(number))


def find_number(registry: Registry, wanted: Wanted) -> int:
    """The number of the version to serve at this moment; it costs one request to the registry.

    Raises:
        RegistryError: no version has the alias.
        Unreachable: the registry does not answer.
    """
    from mlflow.exceptions import MlflowException

    if wanted.number is not None:
        return wanted.number
    with explained():
        try:
            aliases = registry.client.get_registered_model(wanted.name).aliases
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            aliases = {}
    if wanted.alias not in aliases:
        raise RegistryError(
            f"{wanted.name} has no {wanted.alias} yet; `thaw run` makes one, or name a version with --model"
        )
    return int(aliases[wanted.alias])


@dataclass(frozen=True, eq=False)
class ServedModel:
    """A version with its predictor and gallery. gallery: None if the version has none that can be read."""

    version: ModelVersion
    predictor: Predictor
    gallery: Gallery | None


def read_served_model(registry: Registry, number: int) -> ServedModel:
    """Download a version from the registry and read it; no file stays on the disk.

    Raises:
        RegistryError: there is no such version, or its files are gone.
        Unreachable: the registry does not answer.
        BadArtifact: the version holds no model of Thaw, or one of another version of Thaw.
    """
    version = registry.version(number)
    with TemporaryDirectory(prefix="thaw-served-") as folder:
        predictor = _read_predictor(version, _bring(version, Path(folder)))
        return ServedModel(version, predictor, _read_gallery(registry, version, Path(folder)))


def _bring(version: ModelVersion, folder: Path) -> Path:
    """The folder of the predictor's own files."""
    try:
        files = find_predictor_files(version.uri)
        if files is not None:
            return bring_predictor_files(files, folder / "model")
    except OSError as error:  # the version exists, so its files are missing
        raise RegistryError(f"the files of {version.uri} are gone; restore them, or delete that version") from error
    raise BadArtifact(f"{version.uri} holds no model of Thaw; serve a version that `thaw run` has registered")


def _read_predictor(version: ModelVersion, folder: Path) -> Predictor:
    try:
        with TRACING.closed():
            return Predictor.read(folder)
    except (OSError, KeyError, ValueError) as error:
        raise BadArtifact(
            f"the model of {version.uri} is damaged ({error}); run `thaw run` to make another version"
        ) from error


def _read_gallery(registry: Registry, version: ModelVersion, folder: Path) -> Gallery | None:
    try:
        return read_gallery(registry.download(version, f"report/{FILE}", folder))
    except (RegistryError, BadArtifact):  # the version is older than galleries, or was made with evaluate.gallery: 0
        return None
