"""The one place that talks to MLflow's registry: model versions, aliases, and the history of promotions."""

import io
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stderr
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.registry.mlflow_store import STATE, connect, explained
from tasks.registry.promotion_history import Event, event_from_json
from thaw.foundation.errors import RegistryError
from thaw.params.sections import RegistryParams

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion as MlflowVersion
    from mlflow.entities.model_registry import RegisteredModel

__all__ = ["CHALLENGER", "CHAMPION", "KEY", "STATE", "Event", "ModelVersion", "Registry", "explained", "open_registry"]

CHAMPION, CHALLENGER = "champion", "challenger"
KEY = "thaw.key"
"""The tag of runs and versions with the hash of their inputs: the same key means the same model."""
_EVENT = re.compile(r"promotion\.\d{6}(\..*)?")
_PAGE = 1000
_ABSENT = "RESOURCE_DOES_NOT_EXIST"
"""MLflow's code of the error for a model or version that is not there."""


@dataclass(frozen=True)
class ModelVersion:
    """A version in the registry. source: its model, such as `models:/m-0123`. tags: all of its tags. description: Markdown, with which its page begins."""

    name: str
    number: int
    aliases: tuple[str, ...]
    created: datetime
    run_id: str
    source: str
    tags: Mapping[str, str]
    description: str = ""

    @property
    def uri(self) -> str:
        return f"models:/{self.name}/{self.number}"


@dataclass(frozen=True)
class Registry:
    """The registered model `name` at one MLflow server or data base.

    Every method raises `Unreachable` if the server does not answer, and `RegistryError` if it refuses.
    """

    client: "MlflowClient"
    name: str

    def versions(self) -> tuple[ModelVersion, ...]:
        """Every version, the newest first; empty if the model is not registered yet."""
        entries: list[MlflowVersion] = []
        token: str | None = None
        with explained():
            while True:
                page = self.client.search_model_versions(f"name = {_quoted(self.name)}", _PAGE, page_token=token)
                entries.extend(page)
                token = page.token
                if not token:
                    break
            aliases = self._aliases()
        held: dict[int, list[str]] = {}
        for alias, number in aliases.items():
            held.setdefault(number, []).append(alias)
        versions = (_version(entry, held.get(int(entry.version), ())) for entry in entries)
        return tuple(sorted(versions, key=lambda version: -version.number))

    def version(self, number: int) -> ModelVersion:
        """One version.

        Raises:
            RegistryError: there is no such version.
        """
        from mlflow.exceptions import MlflowException

        with explained():
            try:
                entry = self.client.get_model_version(self.name, str(number))
            except MlflowException as error:
                if error.error_code != _ABSENT:
                    raise
                raise RegistryError(f"{self.name} has no version {number}; `thaw models` lists the versions") from error
        return _version(entry, entry.aliases)

    def by_alias(self, alias: str) -> ModelVersion | None:
        """The version with that alias; None if there is none (MLflow removes the alias of a deleted version)."""
        with explained():
            number = self._aliases().get(alias)
        return None if number is None else self.version(number)

    def with_key(self, key: str) -> ModelVersion | None:
        """The version with that key; the oldest if two machines have made one each."""
        return next((version for version in reversed(self.versions()) if version.tags.get(KEY) == key), None)

    def create(self, model: str, tags: Mapping[str, str]) -> int:
        """Make a version of a logged model (`models:/m-0123`), with tags from its first moment; returns its number."""
        import mlflow

        # The caller reports in its own words what MLflow writes to standard error.
        with explained(), redirect_stderr(io.StringIO()):
            return int(mlflow.register_model(model, self.name, tags=dict(tags)).version)

    def set_alias(self, alias: str, number: int) -> None:
        """Move an alias."""
        put(lambda: self.client.set_registered_model_alias(self.name, alias, str(number)))

    def describe(self, number: int, description: str) -> None:
        """Set the description of a version."""
        with explained():
            self.client.update_model_version(self.name, str(number), description)

    def tag(self, number: int, **tags: str) -> None:
        """Set tags of a version, each below `thaw.`."""
        for name, value in tags.items():
            put(partial(self.client.set_model_version_tag, self.name, str(number), f"thaw.{name}", value))

    def untag(self, number: int, name: str) -> None:
        """Remove a tag of a version, below `thaw.`."""
        with explained():
            self.client.delete_model_version_tag(self.name, str(number), f"thaw.{name}")

    def delete(self, number: int) -> None:
        """Delete a version; its run and its model stay."""
        with explained():
            self.client.delete_model_version(self.name, str(number))

    def history(self) -> tuple[Event, ...]:
        """Every entry, the oldest first; a move that two processes have recorded counts once."""
        with explained():
            tags = self._model_tags()
        names = sorted(name for name in tags if _EVENT.fullmatch(name))
        events: dict[str | int, Event] = {}
        for name in names:
            event = event_from_json(tags[name], f"the tag {name} of {self.name}")
            events.setdefault(name if event.move is None else event.move, event)
        return tuple(events.values())

    def record(self, event: Event) -> None:
        """Append to the history: a tag of the registered model, under a name that no other process uses."""
        with explained():
            number = sum(_EVENT.fullmatch(name) is not None for name in self._model_tags()) + 1
            tag = f"promotion.{number:06}.{secrets.token_hex(4)}"
            self.client.set_registered_model_tag(self.name, tag, event.to_json())

    def files(self, version: ModelVersion, folder: str) -> frozenset[str]:
        """The paths of the files in a folder of the version's run."""
        with explained():
            return frozenset(str(file.path) for file in self.client.list_artifacts(version.run_id, folder))

    def log_file(self, version: ModelVersion, file: Path, folder: str) -> None:
        """Put a file into a folder of the version's run."""
        with explained():
            self.client.log_artifact(version.run_id, str(file), folder)

    def download(self, version: ModelVersion, artifact: str, folder: Path) -> Path:
        """Download a file of the version's run to `folder`.

        Raises:
            RegistryError: the run has no such file.
        """
        try:
            with explained():
                return Path(self.client.download_artifacts(version.run_id, artifact, str(folder)))
        except (OSError, RegistryError) as error:
            gone = f"{artifact} of {self.name} version {version.number} is gone from its MLflow run {version.run_id}"
            raise RegistryError(f"{gone}; delete that version, or restore its run") from error

    def _aliases(self) -> dict[str, int]:
        model = self._model()
        return {} if model is None else {alias: int(number) for alias, number in model.aliases.items()}

    def _model_tags(self) -> dict[str, str]:
        model = self._model()
        return {} if model is None else dict(model.tags)

    def _model(self) -> "RegisteredModel | None":
        from mlflow.exceptions import MlflowException

        try:
            return self.client.get_registered_model(self.name)
        except MlflowException as error:
            if error.error_code == _ABSENT:
                return None
            raise


def open_registry(params: RegistryParams) -> Registry:
    """Connect to MLflow, and make the local store if that one is used."""
    return Registry(connect(), params.name)


def put(write: Callable[[], object]) -> None:
    """Write a value that may exist already, with a second try: MLflow checks before it inserts, so of two equal writes at once it refuses one."""
    try:
        with explained():
            write()
    except RegistryError:
        with explained():
            write()


def _quoted(name: str) -> str:
    """A name in quotes for MLflow's filters, which know no escapes."""
    return f'"{name}"' if "'" in name else f"'{name}'"


def _version(version: "MlflowVersion", aliases: Iterable[str]) -> ModelVersion:
    return ModelVersion(
        name=str(version.name),
        number=int(version.version),
        aliases=tuple(sorted(aliases)),
        created=datetime.fromtimestamp(int(version.creation_timestamp) / 1000, UTC),
        run_id=str(version.run_id),
        source=str(version.source),
        tags=dict(version.tags),
        description=str(version.description or ""),
    )
