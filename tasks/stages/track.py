"""The stage `track`: one MLflow run with the model and all measurements.

`thaw run` and `thaw register` make a version of it. `dvc repro` and `dvc exp run` do not, so MLflow remembers trials as runs, and its registry holds only
what is meant for use.

After a kill at any point, another run of the stage ends with one MLflow run. Runs have a key of their inputs, set in the same transaction that makes them. A
whole run with the key is used again; an interrupted run is deleted and made again. On one machine a lock keeps two processes apart.
"""

import json
import logging
import os
import shutil
import socket
from pathlib import Path
from tempfile import TemporaryDirectory

import thaw
from tasks.project.entry import stage
from tasks.project.locks import exclusive
from tasks.project.paths import (
    CERTIFICATE,
    FEATURES_INDEX,
    FINETUNED,
    HEAD,
    MANIFEST,
    REPORT,
    SETTINGS,
    STRATEGY,
)
from tasks.registry.mlflow_run import PYFUNC, log_pipeline_run
from tasks.registry.mlflow_store import STATE, experiment_id, explained
from tasks.registry.registering import Tracked, write_tracked
from tasks.registry.registry import KEY, Registry, open_registry
from tasks.registry.version_page import run_name
from thaw.foundation.errors import BadArtifact
from thaw.foundation.files.atomic import digest_bytes, digest_file
from thaw.params.sections import Params
from thaw.params.values.reading import read_settings

log = logging.getLogger(__name__)

LOCK = STATE / "track.lock"
MEASURED = (REPORT / "metrics.json", REPORT / "predictions.parquet")
ORIGIN = "thaw.origin"
"""The tag of a run with its machine and folder, so that only own unfinished runs are deleted."""
_SCRATCH = "model-"


def main() -> None:
    """Log the model of `data/head/` and the backbone, unless MLflow has a run of just this already."""
    params = read_settings(SETTINGS)
    key = key_of(params)
    with exclusive(LOCK):
        _sweep()
        registry = open_registry(params.registry)
        tracked = _tracked_before(registry, params, key)
        if tracked is None:
            tracked = _track(registry, params, key)
            log.info("MLflow keeps it as the run %s; `thaw register` makes a version of it", tracked.run_id)
        else:
            with explained():  # what was measured again goes with it: the gates ask for it, the gallery, the reference
                registry.client.log_artifacts(tracked.run_id, str(REPORT), "report")
            log.info("the MLflow run %s was made from just this; only its report is new", tracked.run_id)
    write_tracked(tracked)


def key_of(params: Params) -> str:
    """A hash, hex, of everything that defines a model.

    It covers the manifest, features, strategy, backbone, head and the model's code, the measurements, and the model's name and experiment. It leaves out the
    report, whose look may change, and values that differ between two equal runs.

    Raises:
        BadArtifact: a file is missing.
    """
    model = [
        *sorted(HEAD.glob("head.*")),
        *sorted(HEAD.glob("openness.*")),
        *sorted(HEAD.glob("detector*")),
        *sorted(FINETUNED.glob("*.json")),
        *sorted(FINETUNED.glob("*.safetensors")),
    ]
    files = [MANIFEST, FEATURES_INDEX, STRATEGY, CERTIFICATE, *MEASURED, Path(params.backbone.weights), *model]
    content = [[path.name, _digest(path)] for path in files]
    described = [params.registry.model_dump(), content, _code()]
    return digest_bytes(json.dumps(described).encode()).hex()[:32]


def _digest(path: Path) -> str:
    try:
        return digest_file(path).hex()
    except OSError as error:
        raise BadArtifact(f"{path} cannot be read ({error.strerror}); `thaw run` makes it") from error


def _code() -> list[list[str]]:
    """The names and digests of the code that is logged with the model."""
    root = Path(thaw.__file__).parent
    return [[path.name, digest_file(path).hex()] for path in (PYFUNC, *sorted(root.rglob("*.py")))]


def _tracked_before(registry: Registry, params: Params, key: str) -> Tracked | None:
    """The whole run of just this, of a version or without one; interrupted runs of this folder are deleted."""
    version = registry.with_key(key)
    if version is not None:
        return Tracked(version.run_id, version.source, key)
    with explained():
        return _left_behind(registry, experiment_id(registry.client, params.registry.experiment), key)


def _track(registry: Registry, params: Params, key: str) -> Tracked:
    import mlflow

    with explained():
        experiment = experiment_id(registry.client, params.registry.experiment)
        flow_run = os.environ.get("THAW_FLOW_RUN")
        tags = {KEY: key, ORIGIN: _origin(), **({"thaw.flow_run": flow_run} if flow_run else {})}
        with (
            mlflow.start_run(experiment_id=experiment, run_name=run_name(params), tags=tags) as run,
            TemporaryDirectory(dir=STATE, prefix=_SCRATCH) as scratch,
        ):
            model = log_pipeline_run(params, Path(scratch) / "model")
        return Tracked(str(run.info.run_id), model, key)


def _left_behind(registry: Registry, experiment: str, key: str) -> Tracked | None:
    client = registry.client
    for run in client.search_runs([experiment], f"tags.`{KEY}` = '{key}'"):
        models = client.search_logged_models([experiment], filter_string=f"source_run_id = '{run.info.run_id}'")
        if run.info.status == "FINISHED" and models:
            return Tracked(str(run.info.run_id), str(models[0].model_uri), key)
        if run.info.status != "FINISHED" and run.data.tags.get(ORIGIN) == _origin():
            log.info("the run %s was interrupted; it is made again", run.info.run_id)
            for model in models:
                client.delete_logged_model(model.model_id)
            for nested in client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'"):
                client.delete_run(nested.info.run_id)
            client.delete_run(run.info.run_id)
    return None


def _origin() -> str:
    return f"{socket.gethostname()}:{Path.cwd()}"


def _sweep() -> None:
    """Remove the files of a model that a kill left on its way to MLflow."""
    for folder in STATE.glob(f"{_SCRATCH}*"):
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    stage(main)
