"""The stage `register`: one MLflow run with the model and all that was measured, and a version of it as the challenger.

Killed anywhere and run again, it ends with one version: runs and versions carry a key that says what they were made from, a version that
is there is used again, and a run that was cut off is gone on with.
"""

import fcntl
import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tasks.model_logging import log_model
from tasks.paths import FEATURES_INDEX, HEAD, MANIFEST, REGISTERED, REPORT
from tasks.provenance import version_tags
from tasks.registry import CHALLENGER, KEY, STATE, ModelVersion, Registry, experiment_id, explained, open_registry
from tasks.running import stage
from thaw.backbones import read_backbone
from thaw.features import read_index
from thaw.files import digest_bytes, digest_file, write_text
from thaw.heads import read_head
from thaw.params import Params, read_params
from thaw.predictor import Predictor

log = logging.getLogger(__name__)

METRICS = REPORT / "metrics.json"


@dataclass(frozen=True)
class Registered:
    """What `data/registered.json` holds."""

    name: str
    version: int
    run_id: str
    model_uri: str
    key: str


def main() -> None:
    """Register the model that `data/head/` and the backbone make, unless a version of just that model is there."""
    params = read_params()
    key = key_of(params)
    with one_at_a_time():
        registry = open_registry(params.registry)
        version = registry.with_key(key)
        if version is None:
            version = make_version(registry, params, key)
            log.info("registered %s", version.uri)
        else:
            log.info("%s was made from just this; nothing new is registered", version.uri)
        registry.set_alias(CHALLENGER, version.number)
    found = Registered(version.name, version.number, version.run_id, version.uri, key)
    write_text(REGISTERED, json.dumps(found.__dict__, indent=2) + "\n")


def key_of(params: Params) -> str:
    """A hash, hex, of all that makes a version what it is: manifest, features, backbone, head, and what was measured."""
    files = sorted([MANIFEST, FEATURES_INDEX, METRICS, Path(params.backbone.weights), *HEAD.glob("*.*")])
    content = [[path.name, digest_file(path).hex()] for path in files]
    return digest_bytes(json.dumps([params.registry.model_dump(), content]).encode()).hex()[:32]


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold `.thaw/register.lock`, which the kernel drops with the process: two at once must not make two versions of one key."""
    STATE.mkdir(exist_ok=True)
    with (STATE / "register.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make_version(registry: Registry, params: Params, key: str) -> ModelVersion:
    """Log a run and make a version of its model."""
    import mlflow

    experiment = experiment_id(registry, params.registry.experiment)
    with explained(), mlflow.start_run(run_id=_unfinished(registry, experiment, key), experiment_id=experiment) as run:
        mlflow.set_tag(KEY, key)
        mlflow.log_params(_flat(params.model_dump(mode="json")))
        mlflow.log_metrics(_numbers(json.loads(METRICS.read_text())))
        mlflow.log_artifacts(str(REPORT), "report")
        mlflow.log_artifact(str(MANIFEST))
        _log_dataset(params)
        with TemporaryDirectory(dir=STATE, prefix="model-") as folder:
            _predictor(params).write(Path(folder))
            uri = log_model(Path(folder), run.info.run_id)
        tags = version_tags(key)
        made = mlflow.register_model(uri, registry.name, tags=tags)
    return registry.version(int(made.version))


def _unfinished(registry: Registry, experiment: str, key: str) -> str | None:
    """The run that a kill left behind, cleared of the model that it may have been logging."""
    runs = registry.client.search_runs([experiment], f"tags.`{KEY}` = '{key}'", max_results=1)
    if not runs:
        return None
    run_id = str(runs[0].info.run_id)
    log.info("going on with the run %s, which was cut off", run_id)
    for model in registry.client.search_logged_models([experiment], filter_string=f"source_run_id = '{run_id}'"):
        registry.client.delete_logged_model(model.model_id)
    return run_id


def _predictor(params: Params) -> Predictor:
    layer = read_index(FEATURES_INDEX).layer(params.head.layer)
    backbone = read_backbone(params.backbone.model_copy(update={"layers": (layer.name,)}))
    return Predictor(replace(backbone, layers=(layer.name,)), read_head(HEAD), layer.name)


def _log_dataset(params: Params) -> None:
    """The manifest as the run's dataset: its source, its digest, its schema; the images stay where they are."""
    import mlflow
    import pandas as pd

    from thaw.manifest import read_manifest

    table = read_manifest(MANIFEST).table.select(["path", "label", "split", "size"]).to_pandas()
    table["label"], table["split"] = table["label"].astype(object), table["split"].astype(object)
    assert isinstance(table, pd.DataFrame)
    dataset = mlflow.data.from_pandas(
        table, source=str(MANIFEST), name=Path(params.dataset.source).name, digest=digest_file(MANIFEST).hex()[:32]
    )
    mlflow.log_input(dataset, context="training")


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested parameters as dotted names."""
    flat: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = json.dumps(value) if isinstance(value, list) else str(value)
    return flat


def _numbers(values: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """Nested metrics as dotted names, without what is no number."""
    flat: dict[str, float] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _numbers(value, f"{prefix}{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            flat[f"{prefix}{name}"] = float(value)
    return flat


if __name__ == "__main__":
    stage(main)
