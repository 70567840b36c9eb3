"""The request `Model.register` of a notebook: a version of a model that was fitted without a project, in MLflow's registry."""

from collections.abc import Mapping
from pathlib import Path

from tasks.registry.flat_names import flat_metrics, flat_params
from tasks.registry.mlflow_run import log_model
from tasks.registry.mlflow_store import experiment_id, explained
from tasks.registry.registry import CHALLENGER, KEY, open_registry
from tasks.registry.version_tags import MEASURED
from thaw.foundation.files.atomic import digest_bytes, digest_file
from thaw.foundation.statistics.bootstrap import Estimate
from thaw.notebook.model import Model
from thaw.notebook.report import Report
from thaw.params.sections import RegistryParams

_FIGURES = "predictions.parquet"


def register_fitted(folder: Path, name: str) -> str:
    """Make a version of the model in a folder of `Model.save`, and give it the alias `challenger`; returns its address.

    The whole folder is logged with the model, so `thaw init --from` makes a project of the version. The same files make one version.

    Raises:
        RegistryError, Unreachable: MLflow refuses, or does not answer.
        BadArtifact: the folder holds no model.
    """
    import mlflow

    model = Model.load(folder, quiet=True)
    asked = model.setup.asked.model_copy(update={"registry": RegistryParams(name=name)})
    registry, key = open_registry(asked.registry), _key(folder)
    version = registry.with_key(key)
    if version is None:
        report = model.evaluate() if model.held_out is not None else None
        figures = {} if report is None else _figures(report)
        with explained():
            experiment = experiment_id(registry.client, asked.registry.experiment)
            with mlflow.start_run(experiment_id=experiment, run_name=f"{name}, from a notebook", tags={KEY: key}):
                mlflow.log_params(flat_params(asked.model_dump(mode="json")))
                mlflow.log_metrics(flat_metrics({"test": figures}))
                mlflow.log_artifact(str(folder / "manifest.parquet"))
                if report is not None:
                    mlflow.log_artifact(str(folder / _FIGURES), "report")
                    mlflow.log_text(report._repr_html_(), "report/report.html")
                logged = log_model(folder, model.predictor)
        version = registry.version(registry.create(logged, _tags(model, key, figures)))
        registry.describe(version.number, _description(model, report))
    if CHALLENGER not in version.aliases:
        registry.set_alias(CHALLENGER, version.number)
    return version.uri


def _key(folder: Path) -> str:
    """A hash, hex, of the model's files."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return digest_bytes("".join(f"{path.name} {digest_file(path).hex()}\n" for path in files).encode()).hex()[:32]


def _figures(report: Report) -> Mapping[str, float]:
    """The metrics of the held-out test, each with its interval."""
    figures: dict[str, float] = {"n": float(report.evaluation.n)}
    for name, estimate in vars(report.evaluation.metrics).items():
        if isinstance(estimate, Estimate):
            figures |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    return figures


def _tags(model: Model, key: str, figures: Mapping[str, float]) -> dict[str, str]:
    import thaw

    tags = {
        KEY: key,
        "thaw.version": thaw.__version__,
        "thaw.fingerprint": model.fingerprint,
        "thaw.strategy": model.strategy,
        "thaw.architecture": model.predictor.backbone.architecture,
        **{f"thaw.test.{name}": f"{figures[name]:.6f}" for name in MEASURED if name in figures},
        **({"thaw.test.n": f"{figures['n']:.0f}"} if figures else {}),
    }
    return {name: value for name, value in tags.items() if value}


def _description(model: Model, report: Report | None) -> str:
    asked = model.setup.asked
    return "\n\n".join(
        (
            "**Fitted in a notebook**" if report is None else f"**{report!r}**",
            f"Strategy: {model.strategy}, on `{asked.backbone.weights}`",
            f"Data: `{asked.dataset.source}`",
            "The gates need what a project measures: `thaw init PROJECT --from MODEL`, then `thaw run`.",
        )
    )
