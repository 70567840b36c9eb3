"""The predictor's files among all files that MLflow keeps with a model: found and downloaded without running any code of the model."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tasks.registry.mlflow_store import explained

ARTIFACT = "model"
"""The name of the predictor's folder among the artifacts; see `tasks/registry/mlflow_run.py`."""
DESCRIPTION = "MLmodel"
"""MLflow's own description of a model."""


@dataclass(frozen=True)
class PredictorFiles:
    """The predictor's folder. uri: its address in MLflow. identity: a text that identifies the model under any name."""

    uri: str
    identity: str


def find_predictor_files(uri: str) -> PredictorFiles | None:
    """Read MLflow's description of the model at `uri`; None: Thaw has not logged this model.

    Raises:
        OSError: the model's files are gone.
        RegistryError: there is no such model.
        Unreachable: MLflow does not answer.
    """
    if not _is_there(uri):
        raise FileNotFoundError(f"{uri} holds no file {DESCRIPTION}")
    with TemporaryDirectory(prefix="thaw-model-") as scratch:
        content = _download(f"{uri.rstrip('/')}/{DESCRIPTION}", Path(scratch)).read_bytes()
    try:
        card = YAML(typ="safe").load(content)
        within = card["flavors"]["python_function"]["artifacts"][ARTIFACT]["path"]
        identity = f"{card.get('model_id') or card.get('model_uuid')} {card.get('utc_time_created')}"
    except (YAMLError, KeyError, TypeError):
        return None
    return PredictorFiles(f"{uri.rstrip('/')}/{within}", identity)


def bring_predictor_files(files: PredictorFiles, into: Path) -> Path:
    """Download the files; returns their folder, which is below `into`.

    Raises:
        OSError, RegistryError, Unreachable: see `find_predictor_files`.
    """
    return _download(files.uri, into)


def _is_there(uri: str) -> bool:
    """Whether the description is among the model's files; from a server, a failed download does not show whether the file exists."""
    from mlflow.artifacts import list_artifacts

    with explained():
        return any(PurePosixPath(file.path).name == DESCRIPTION for file in list_artifacts(artifact_uri=uri))


def _download(uri: str, into: Path) -> Path:
    from mlflow.artifacts import download_artifacts

    with explained():
        return Path(download_artifacts(artifact_uri=uri, dst_path=str(into)))
