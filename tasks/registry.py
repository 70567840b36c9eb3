"""The one place that talks to MLflow: runs, model versions, aliases, and the history of promotions."""

import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from thaw.errors import RegistryError, Unreachable
from thaw.params import RegistryParams

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion as MlflowVersion

STATE = Path(".thaw")
CHAMPION, CHALLENGER = "champion", "challenger"
KEY = "thaw.key"
"""The tag of runs and versions that says what they were made from: the same key, the same model."""
_EVENT = "promotion."
_PASSING = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE", "RESOURCE_ALREADY_EXISTS", "PERMISSION_DENIED")


@dataclass(frozen=True)
class ModelVersion:
    """A version in the registry."""

    name: str
    number: int
    aliases: tuple[str, ...]
    created: datetime
    run_id: str
    tags: Mapping[str, str]

    @property
    def uri(self) -> str:
        return f"models:/{self.name}/{self.number}"


@dataclass(frozen=True)
class Event:
    """One entry of the append-only history: who moved the alias `champion`, or was refused to, when and why."""

    kind: str
    """`promote`, `refuse` or `rollback`."""
    when: str
    who: str
    version: int
    """The challenger that was looked at; the restored champion of a rollback."""
    former: int | None
    """The champion before."""
    reason: str
    flow_run: str = ""


def tracking_uri() -> str:
    """`MLFLOW_TRACKING_URI`, else SQLite below the project."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{(STATE / 'mlflow.db').absolute()}"


@contextmanager
def explained() -> Iterator[None]:
    """Say MLflow's errors in words of ours.

    Raises:
        Unreachable: the server or its data base did not answer; another try may help.
        RegistryError: it answered that it can't.
    """
    import requests
    from mlflow.exceptions import MlflowException

    try:
        yield
    except requests.exceptions.RequestException as error:
        raise Unreachable(f"MLflow at {tracking_uri()} did not answer ({type(error).__name__})") from error
    except MlflowException as error:
        said = str(error).splitlines()[0]
        if error.error_code in _PASSING:
            raise RegistryError(f"MLflow at {tracking_uri()} refused: {said}") from error
        raise Unreachable(f"MLflow at {tracking_uri()} failed: {said}") from error


@dataclass(frozen=True)
class Registry:
    """The registered model `name` at one tracking server."""

    client: "MlflowClient"
    name: str

    def versions(self) -> tuple[ModelVersion, ...]:
        """Every version, the newest first; none where the model is not registered yet."""
        with explained():
            found = self.client.search_model_versions(f"name = '{self.name}'", max_results=1000)
            aliases = self._aliases()
        made = (_version(version, aliases) for version in found)
        return tuple(sorted(made, key=lambda version: -version.number))

    def version(self, number: int) -> ModelVersion:
        """One version.

        Raises:
            RegistryError: there is no such version.
        """
        for version in self.versions():
            if version.number == number:
                return version
        raise RegistryError(f"{self.name} has no version {number}; `thaw models` lists those that there are")

    def by_alias(self, alias: str) -> ModelVersion | None:
        """The version with that alias; None where there is none.

        Raises:
            RegistryError: the alias points to a version that was deleted.
        """
        with explained():
            number = self._aliases().get(alias)
        return None if number is None else self.version(number)

    def with_key(self, key: str) -> ModelVersion | None:
        """The version that was made from `key`."""
        return next((version for version in self.versions() if version.tags.get(KEY) == key), None)

    def set_alias(self, alias: str, number: int) -> None:
        """Move an alias."""
        with explained():
            self.client.set_registered_model_alias(self.name, alias, str(number))

    def tag(self, number: int, **tags: str) -> None:
        """Set tags of a version, each below `thaw.`."""
        with explained():
            for name, value in tags.items():
                self.client.set_model_version_tag(self.name, str(number), f"thaw.{name}", value)

    def history(self) -> tuple[Event, ...]:
        """Every promotion, refusal and rollback, the oldest first."""
        with explained():
            tags = self._model_tags()
        return tuple(Event(**json.loads(tags[name])) for name in sorted(tags) if name.startswith(_EVENT))

    def record(self, event: Event) -> None:
        """Append to the history."""
        with explained():
            number = sum(name.startswith(_EVENT) for name in self._model_tags()) + 1
            self.client.set_registered_model_tag(self.name, f"{_EVENT}{number:06}", json.dumps(asdict(event)))

    def download(self, version: ModelVersion, artifact: str, folder: Path) -> Path:
        """Bring a file of the version's run to `folder`."""
        with explained():
            return Path(self.client.download_artifacts(version.run_id, artifact, str(folder)))

    def _aliases(self) -> dict[str, int]:
        models = self.client.search_registered_models(f"name = '{self.name}'")
        return {alias: int(number) for model in models for alias, number in model.aliases.items()}

    def _model_tags(self) -> dict[str, str]:
        models = self.client.search_registered_models(f"name = '{self.name}'")
        return dict(models[0].tags) if models else {}


def open_registry(params: RegistryParams) -> Registry:
    """Connect to MLflow, making the local store's folder where that is what is used."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    logging.getLogger("mlflow").setLevel(logging.WARNING)  # its notes on new tables are no news to anyone
    STATE.mkdir(exist_ok=True)
    import mlflow

    with explained():
        mlflow.set_tracking_uri(tracking_uri())
        mlflow.set_registry_uri(os.environ.get("MLFLOW_REGISTRY_URI") or tracking_uri())
        return Registry(mlflow.MlflowClient(), params.name)


def experiment_id(registry: Registry, name: str) -> str:
    """The experiment of that name, made where it does not exist; local artifacts go below the project."""
    from mlflow.exceptions import MlflowException

    local = "MLFLOW_TRACKING_URI" not in os.environ
    location = str((STATE / "mlartifacts").absolute()) if local else None
    with explained():
        found = registry.client.get_experiment_by_name(name)
        if found is None:
            try:
                return str(registry.client.create_experiment(name, artifact_location=location))
            except MlflowException:  # somebody else made it in between
                found = registry.client.get_experiment_by_name(name)
        assert found is not None
        if found.lifecycle_stage == "deleted":
            registry.client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)


def _version(version: "MlflowVersion", aliases: Mapping[str, int]) -> ModelVersion:
    number = int(version.version)
    return ModelVersion(
        name=str(version.name),
        number=number,
        aliases=tuple(sorted(alias for alias, target in aliases.items() if target == number)),
        created=datetime.fromtimestamp(int(version.creation_timestamp) / 1000, UTC),
        run_id=str(version.run_id),
        tags=dict(version.tags),
    )
