"""The artifacts of a flow run on Prefect's own pages: the metrics, the report, the model's version, the outcomes of the gates."""

import os
from pathlib import Path

from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact

from flows.prefect_server.running_server import running
from flows.runs.results import REPORT_PAGE, Metric, Registered, read_results
from tasks.registry.attempt import Promotion


def publish(root: Path) -> None:
    """Make the artifacts of the pipeline's present results; a missing result is left out."""
    results = read_results(root)
    if results.metrics:
        rows = [_row(metric) for metric in results.metrics]
        create_table_artifact(table=rows, key="metrics", description=f"On {results.rows} test rows")
    if results.report is not None:
        publish_page(root, results.report, "report")
    if results.registered is not None:
        _publish_link(version_page(root, results.registered), results.registered.uri, "model")


def publish_gates(promotion: Promotion) -> None:
    """Make the artifacts of a promotion: the outcome of each gate, and the page; nothing if no gate decided."""
    if promotion.gates:
        rows = [
            {"gate": outcome.gate, "outcome": outcome.title, "what it found": outcome.words}
            for outcome in promotion.gates
        ]
        create_table_artifact(table=rows, key="gates", description=f"{promotion.name}: {promotion}")
    if promotion.page is not None:
        publish_page(Path.cwd(), promotion.page, "promotion")


def publish_page(root: Path, page: Path, key: str, description: str | None = None) -> None:
    """Make the artifact of a page: a link if a server of `thaw up` or `thaw ui` shows it, else its path. A browser opens no file from Prefect's pages."""
    place = (root / page).resolve()
    own = place.relative_to(root.resolve()) if place.is_relative_to(root.resolve()) else place
    report = running(root).get("report")
    shown = own.is_relative_to(REPORT_PAGE.parent) and report is not None
    link = f"{str(report).rpartition('/')[0]}/{own.relative_to(REPORT_PAGE.parent)}" if shown else None
    _publish_link(link, str(own), key, description)


def _publish_link(link: str | None, text: str, key: str, description: str | None = None) -> None:
    if link is None:
        create_markdown_artifact(markdown=f"`{text}`", key=key, description=description)
    else:
        create_link_artifact(link=link, link_text=text, key=key, description=description)


def version_page(root: Path, registered: Registered) -> str | None:
    """The address of a model version in MLflow's pages; None if no server of MLflow is known."""
    uri = os.environ.get("MLFLOW_TRACKING_URI", "")
    server = uri if uri.startswith(("http://", "https://")) else running(root).get("mlflow")
    return server and f"{server.rstrip('/')}/#/models/{registered.name}/versions/{registered.version}"


def _row(metric: Metric) -> dict[str, object]:
    interval = "" if metric.low is None or metric.high is None else f"{metric.low:.4f} to {metric.high:.4f}"
    return {"metric": metric.name, "value": round(metric.value, 4), "interval": interval}
