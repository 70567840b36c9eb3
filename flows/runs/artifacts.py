"""What a flow run shows in Prefect's own pages: the metrics, the report, the model's version, what the gates said of it."""

import os
from pathlib import Path

from prefect.artifacts import create_link_artifact, create_table_artifact

from flows.runs.results import Metric, Registered, read_results
from tasks.registry.promotion import Promotion

MLFLOW_UI = "http://127.0.0.1:5000"
"""Where `thaw ui` prefers to serve MLflow, for links to a version in a store that is no server."""


def publish(root: Path) -> None:
    """Make the artifacts of the pipeline's present results; what is not there is left out."""
    results = read_results(root)
    if results.metrics:
        rows = [_row(metric) for metric in results.metrics]
        create_table_artifact(table=rows, key="metrics", description=f"On {results.rows} test rows")
    if results.report is not None:
        create_link_artifact(link=results.report.as_uri(), link_text="report.html", key="report")
    if results.registered is not None:
        link = version_page(results.registered, os.environ.get("MLFLOW_TRACKING_URI", ""))
        create_link_artifact(link=link, link_text=results.registered.uri, key="model")


def publish_gates(found: Promotion) -> None:
    """Make the artifacts of a promotion: what each gate said, and the page that shows it; none where no gate was asked."""
    if found.gates:
        rows = [{"gate": one.gate, "outcome": one.title, "what it found": one.words} for one in found.gates]
        create_table_artifact(table=rows, key="gates", description=f"{found.name}: {found}")
    if found.page is not None:
        create_link_artifact(link=found.page.absolute().as_uri(), link_text=found.page.name, key="promotion")


def version_page(registered: Registered, tracking_uri: str) -> str:
    """The address of a model version in MLflow's pages."""
    server = tracking_uri.rstrip("/") if tracking_uri.startswith(("http://", "https://")) else MLFLOW_UI
    return f"{server}/#/models/{registered.name}/versions/{registered.version}"


def _row(metric: Metric) -> dict[str, object]:
    interval = "" if metric.low is None or metric.high is None else f"{metric.low:.4f} to {metric.high:.4f}"
    return {"metric": metric.name, "value": round(metric.value, 4), "interval": interval}
