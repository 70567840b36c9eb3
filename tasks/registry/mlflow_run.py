"""What one MLflow run holds of one run of the pipeline: parameters, metrics, the report, the dataset and the model."""

import json
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import thaw
from tasks.project.paths import CERTIFICATE, MANIFEST, REPORT
from tasks.registry.flat_names import flat_metrics, flat_params
from tasks.registry.lineage_files import LINEAGE, write_lineage
from tasks.registry.local_model import read_assembled
from thaw.backbones.backbone import Backbone
from thaw.dataset.manifest import read_manifest
from thaw.foundation.files.atomic import digest_file
from thaw.kinds.registry import requirement_of
from thaw.models.prediction.reading import Model
from thaw.params.sections import Params
from thaw.strategies.certificate.record import figures_of, read_certificate
from thaw.targets.target import target_of

if TYPE_CHECKING:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, TensorSpec

PYFUNC = Path(__file__).with_name("pyfunc_model.py")
"""The model's own code: MLflow copies and runs it, nothing imports it."""
REQUIREMENTS = (
    "blake3", "mlflow", "numpy", "pandas", "pillow", "pydantic", "safetensors",
    "scikit-learn", "scipy", "torch", "torchvision",
)  # fmt: skip
"""What that code and what it takes of `thaw` import; stated, because inferring it costs MLflow seconds and guesses."""


def log_pipeline_run(params: Params, folder: Path) -> str:
    """Log everything to the active run; the model's files pass through `folder`. Returns the logged model's URI."""
    import mlflow

    mlflow.log_params(flat_params(params.model_dump(mode="json")))
    mlflow.log_metrics(flat_metrics(json.loads((REPORT / "metrics.json").read_text(encoding="utf-8"))))
    mlflow.log_artifacts(str(REPORT), "report")
    mlflow.log_artifact(str(MANIFEST))
    _log_lineage(params)
    _log_dataset(params)
    _log_certificate()
    predictor = read_assembled(params)
    predictor.write(folder)
    return log_model(folder, predictor)


def _log_lineage(params: Params) -> None:
    """What the version can be traced and rebuilt by."""
    import mlflow

    with TemporaryDirectory() as folder:
        write_lineage(params, Path(folder) / LINEAGE)
        mlflow.log_artifacts(str(Path(folder) / LINEAGE), LINEAGE)


def _log_certificate() -> None:
    """The certificate, if there is one, and a nested run for each way to learn; its page is in the report."""
    import mlflow

    certificate, parent = read_certificate(CERTIFICATE), mlflow.active_run()
    if certificate is None or parent is None:
        return
    mlflow.log_artifact(str(CERTIFICATE), "certificate")
    for entry in certificate.entries:
        with mlflow.start_run(experiment_id=parent.info.experiment_id, run_name=entry.name, nested=True):
            mlflow.log_params({"strategy": entry.name, "role": entry.role, "repetitions": len(certificate.seeds)})
            mlflow.log_metrics(figures_of(entry, certificate.judged_by))


def _log_dataset(params: Params) -> None:
    """The manifest as the run's dataset, by its digest; the examples stay where they are."""
    import mlflow
    from mlflow.data.pandas_dataset import from_pandas

    manifest = read_manifest(MANIFEST)
    table = manifest.table.select(["path", "split", "size"]).to_pandas()
    target = target_of(manifest)
    written = [None if example.names is None else example.written for example in manifest.examples()]
    table["split"] = table["split"].astype(object)
    table.insert(1, target.answers[0], written)
    digest = digest_file(MANIFEST).hex()[:32]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's hints about integers and about its own kinds of source
        source = Path(params.dataset.source)
        dataset = from_pandas(table, source=str(source), name=source.name, digest=digest)
        mlflow.log_input(dataset, context="training")


def log_model(folder: Path, predictor: Model) -> str:
    """Log the predictor in `folder` to the active run, as code and plain tensors, with all that it needs to run on another machine; returns its URI."""
    import mlflow

    backbone = predictor.backbone
    with _no_bytecode():
        info = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(PYFUNC),
            artifacts={"model": str(folder)},
            code_paths=[str(Path(thaw.__file__).parent)],
            pip_requirements=_requirements(backbone),
            signature=_signature(_outputs(predictor)),
            input_example=[backbone.kind.example_value],
        )
    return str(info.model_uri)


def _requirements(backbone: Backbone) -> list[str]:
    """What must be installed where the model is to run."""
    brought = requirement_of(backbone.kind.name)
    names = dict.fromkeys((*REQUIREMENTS, *backbone.kind.recipe(backbone.preprocessing).packages))
    own = [f"{name}=={version(name).partition('+')[0]}" for name in names]
    return own if brought is None else [*own, brought]


@contextmanager
def _no_bytecode() -> Iterator[None]:
    """MLflow runs the code in the model's own folder before it is sent, and what that compiles would be sent along."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


def _outputs(predictor: Model) -> "list[ColSpec | TensorSpec]":
    """The columns that the model gives: see `tasks/registry/pyfunc_model.py`."""
    from mlflow.types import ColSpec, DataType
    from mlflow.types.schema import Array

    probabilities = [ColSpec(DataType.float, f"p_{name}") for name in predictor.class_names]
    types: dict[str, DataType | Array] = {"label": DataType.string, "labels": Array(DataType.string)}
    types |= {"heard": Array(DataType.string), "at_s": Array(DataType.double)}
    answers = [ColSpec(types.get(name, DataType.float), name) for name in predictor.answers]
    return [*answers, *probabilities]


def _signature(outputs: "list[ColSpec | TensorSpec]") -> "ModelSignature":
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema
    from mlflow.types.schema import AnyType

    signature = ModelSignature(
        # Any: paths, bytes and arrays are all examples, and MLflow has no one type for them.
        inputs=Schema([ColSpec(AnyType())]),
        outputs=Schema(outputs),
    )
    # Or MLflow makes a table of what is given before the model sees it, and fails on a list of arrays of one shape.
    signature._is_signature_from_type_hint = True
    return signature
