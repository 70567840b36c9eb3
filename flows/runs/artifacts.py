"""The artifacts of a flow run on Prefect's own pages: the metrics, the report, the model's version, the outcomes of the gates."""

import os
from pathlib import Path

from prefect.artifacts import create_link_artifact, create_table_artifact

from flows.runs.results import Metric, Registered, read_results
from tasks.registry.attempt import Promotion

MLFLOW_UI = "http://127.0.0.1:5000"
"""The preferred address of MLflow under `thaw ui`, for links to a version if the store is no server."""


def publish(root: Path) -> None:
    """Make the artifacts of the pipeline's present results; a missing result is left out."""
    results = read_results(root)
    if results.metrics:
        rows = [_row(metric) for metric in results.metrics]
        create_table_artifact(table=rows, key="metrics", description=f"On {results.rows} test rows")
    if results.report is not None:
        create_link_artifact(link=results.report.as_uri(), link_text="report.html", key="report")
    if results.registered is not None:
        link = version_page(results.registered, os.environ.get("MLFLOW_TRACKING_URI", ""))
        create_link_artifact(link=link, link_text=results.registered.uri, key="model")


def publish_gates(promotion: Promotion) -> None:
    """Make the artifacts of a promotion: the outcome of each gate, and the page; nothing if no gate decided."""
    if promotion.gates:
        rows = [
            {"gate": outcome.gate, "outcome": outcome.title, "what it found": outcome.words}
            for outcome in promotion.gates
        ]
        create_table_artifact(table=rows, key="gates", description=f"{promotion.name}: {promotion}")
    if promotion.page is not None:
        create_link_artifact(link=promotion.page.absolute().as_uri(), link_text=promotion.page.name, key="promotion")


def version_page(registered: Registered, tracking_uri: str) -> str:
    """The address of a model version in MLflow's pages."""
    server = tracking_uri.rstrip("/") if tracking_uri.startswith(("http://", "https://")) else MLFLOW_UI
    return f"{server}/#/models/{registered.name}/versions/{registered.version}"


def _row(metric: Metric) -> dict[str, object]:
    interval = "" if metric.low is None or metric.high is None else f"{metric.low:.4f} to {metric.high:.4f}"
    return {"metric": metric.name, "value": round(metric.value, 4), "interval": interval}
