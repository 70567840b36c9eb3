"""The stage `register`: one MLflow run with the model and all measurements, and a version of it as the challenger.

After a kill at any point, another run ends with one version. Runs and versions have a key of their inputs, set in the same transaction that makes them. A
version with the key is used again, and so is a whole model without a version; an interrupted run is deleted and made again. On one machine a lock keeps two
processes apart. Two machines with one server may log a run at once; then the older version stays, and the maker of the younger one deletes it.
"""

import json
import logging
import shutil
import socket
from dataclasses import asdict, dataclass
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
    REGISTERED,
    REPORT,
    SETTINGS,
    STRATEGY,
)
from tasks.registry.mlflow_run import PYFUNC, log_pipeline_run
from tasks.registry.mlflow_store import STATE, experiment_id, explained
from tasks.registry.registry import CHALLENGER, KEY, ModelVersion, Registry, open_registry
from tasks.registry.version_tags import version_tags
from thaw.foundation.errors import BadArtifact
from thaw.foundation.files.atomic import digest_bytes, digest_file, write_text
from thaw.params.sections import Params
from thaw.params.values.reading import read_settings
from thaw.params.values.strategy import read_strategy

log = logging.getLogger(__name__)

LOCK = STATE / "register.lock"
MEASURED = (REPORT / "metrics.json", REPORT / "predictions.parquet")
ORIGIN = "thaw.origin"
"""The tag of a run with its machine and folder, so that only own unfinished runs are deleted."""
_SCRATCH = "model-"


@dataclass(frozen=True)
class Registered:
    """The content of `data/registered.json`."""

    name: str
    version: int
    run_id: str
    model_uri: str
    key: str


def main() -> None:
    """Register the model of `data/head/` and the backbone, unless it has a version already."""
    params = read_settings(SETTINGS)
    key = key_of(params)
    with exclusive(LOCK):
        _sweep()
        registry = open_registry(params.registry)
        version = registry.with_key(key)
        if version is None:
            version = make_version(registry, params, key)
            log.info("registered %s", version.uri)
        else:
            with (
                explained()
            ):  # what was measured again goes with it: what the gates ask for, the gallery, the reference
                registry.client.log_artifacts(version.run_id, str(REPORT), "report")
            log.info("%s was made from just this; nothing new is registered", version.uri)
        registry.set_alias(CHALLENGER, version.number)
    registered = Registered(version.name, version.number, version.run_id, version.uri, key)
    write_text(REGISTERED, json.dumps(asdict(registered), indent=2) + "\n")


def key_of(params: Params) -> str:
    """A hash, hex, of everything that defines a version.

    It covers the manifest, features, strategy, backbone, head and the model's code, the measurements, and the model's name and experiment. It leaves out the
    report, whose look may change, and values that differ between two equal runs.

    Raises:
        BadArtifact: a file is missing.
    """
    model = [
        *sorted(HEAD.glob("head.*")),
        *sorted(HEAD.glob("openness.*")),
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


def make_version(registry: Registry, params: Params, key: str) -> ModelVersion:
    """Log a run, unless an earlier try has done so, and make a version of its model."""
    import mlflow

    with explained():
        experiment = experiment_id(registry.client, params.registry.experiment)
        model = _left_behind(registry, experiment, key)
        if model is None:
            tags = {KEY: key, ORIGIN: _origin()}
            # The run ends before there is a version, so every version has a finished run.
            with (
                mlflow.start_run(experiment_id=experiment, tags=tags),
                TemporaryDirectory(dir=STATE, prefix=_SCRATCH) as scratch,
            ):
                model = log_pipeline_run(params, Path(scratch) / "model")
    made = registry.create(model, version_tags(key, read_strategy(STRATEGY)))
    oldest = registry.with_key(key)
    if oldest is None or oldest.number == made:
        return registry.version(made)
    log.info("%s was made from just this at the same time, elsewhere", oldest.uri)
    registry.delete(made)
    return oldest


def _left_behind(registry: Registry, experiment: str, key: str) -> str | None:
    """The whole model of an earlier try, if there is one; interrupted runs of this folder are deleted."""
    client = registry.client
    for run in client.search_runs([experiment], f"tags.`{KEY}` = '{key}'"):
        models = client.search_logged_models([experiment], filter_string=f"source_run_id = '{run.info.run_id}'")
        if run.info.status == "FINISHED" and models:
            log.info("the run %s holds this model already", run.info.run_id)
            return str(models[0].model_uri)
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
