"""Versions of tracked models: `register` makes a version of the last MLflow run of the pipeline, and the alias `challenger` goes to it.

After a kill at any point, another call ends with one version. Two machines with one server may have tracked the same model at once; then the older version
stays, and the maker of the younger one deletes it.
"""

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

from tasks.project.locks import exclusive
from tasks.project.paths import REGISTERED, STRATEGY, TRACKED
from tasks.registry.mlflow_store import STATE, explained
from tasks.registry.registry import CHALLENGER, ModelVersion, Registry, open_registry
from tasks.registry.version_page import describe, summary_tags
from tasks.registry.version_tags import version_tags
from thaw.foundation.errors import BadArtifact, RegistryError
from thaw.foundation.files.atomic import write_text
from thaw.params.sections import Params
from thaw.params.values.strategy import read_strategy

log = logging.getLogger(__name__)

LOCK = STATE / "register.lock"


@dataclass(frozen=True)
class Tracked:
    """The content of `data/tracked.json`. model: the logged model, such as `models:/m-0123`. key: the hash of all that defines it."""

    run_id: str
    model: str
    key: str


@dataclass(frozen=True)
class Registered:
    """The content of `data/registered.json`."""

    name: str
    version: int
    run_id: str
    model_uri: str
    key: str
    made: bool = False
    """Whether this call made the version; the file does not say."""


def write_tracked(tracked: Tracked) -> None:
    """Write `data/tracked.json`."""
    write_text(TRACKED, json.dumps(asdict(tracked), indent=2) + "\n")


def read_tracked() -> Tracked:
    """Read `data/tracked.json`.

    Raises:
        BadArtifact: the file is missing or damaged.
    """
    try:
        return Tracked(**json.loads(TRACKED.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise BadArtifact(f"{TRACKED} names no MLflow run; `thaw run` makes one") from error


def is_tracked(params: Params) -> bool:
    """Whether MLflow has the run that `data/tracked.json` names; it may have been made on another machine, or for another server."""
    from mlflow.exceptions import MlflowException

    registry, tracked = open_registry(params.registry), read_tracked()
    if registry.with_key(tracked.key) is not None:
        return True
    with explained():
        try:
            return bool(registry.client.get_run(tracked.run_id).info.lifecycle_stage == "active")
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return False


def register(params: Params, *, flow_run: str = "") -> Registered:
    """Make a version of the tracked model, unless there is one, and give it the alias `challenger`.

    Raises:
        BadArtifact: nothing was tracked yet.
        RegistryError: MLflow has no run of the tracked model.
    """
    tracked = read_tracked()
    if not is_tracked(params):
        raise RegistryError(f"MLflow has no run {tracked.run_id}; `thaw run` tracks the model there, and registers it")
    with exclusive(LOCK):
        registry = open_registry(params.registry)
        before = registry.with_key(tracked.key)
        version = before or make_version(registry, params, tracked, flow_run)
        log.info("%s %s", "registered before:" if before else "registered", version.uri)
        if not version.description:
            registry.describe(version.number, describe(params))
        if CHALLENGER not in version.aliases:
            registry.set_alias(CHALLENGER, version.number)
    registered = Registered(
        version.name, version.number, version.run_id, version.uri, tracked.key, made=before is None
    )  # fmt: skip
    write_registered(registered)
    return registered


def write_registered(registered: Registered) -> None:
    """Write `data/registered.json`."""
    content = {name: value for name, value in asdict(registered).items() if name != "made"}
    write_text(REGISTERED, json.dumps(content, indent=2) + "\n")


def make_version(registry: Registry, params: Params, tracked: Tracked, flow_run: str) -> ModelVersion:
    """Make a version; if another machine has made one of the same model meanwhile, the older one is returned, and ours is deleted."""
    tags = summary_tags(params) | version_tags(
        tracked.key, read_strategy(STRATEGY), flow_run, Path(params.backbone.weights)
    )
    made = registry.create(tracked.model, tags)
    oldest = registry.with_key(tracked.key)
    if oldest is None or oldest.number == made:
        return registry.version(made)
    log.info("%s was made from just this at the same time, elsewhere", oldest.uri)
    registry.delete(made)
    return oldest
