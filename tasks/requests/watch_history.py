"""The history of drift in MLflow: in the experiment `NAME-watch` each version has a run, and its metrics have a step for each batch."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tasks.registry.mlflow_store import experiment_id, explained
from tasks.registry.registry import Registry
from thaw.drift.record import DriftReport, Point

if TYPE_CHECKING:
    from mlflow import MlflowClient

WATCHED = "thaw.watched"
"""The tag of a run with the version of the history."""
_BATCH = "thaw.batch."
_RETRAINED = "thaw.retrained."


@dataclass(frozen=True)
class History:
    """The batches of one version so far, in the run `run_id` of the experiment `experiment`.

    Every method raises `Unreachable` if MLflow does not answer, and `RegistryError` if it refuses.
    """

    client: "MlflowClient"
    experiment: str
    run_id: str

    def record(self, report: DriftReport, batch: str) -> bool:
        """Add a batch; False: the history has it already.

        A kill in between leaves a step without its tag; the next try writes the same step again, and MLflow keeps one of two equal values.
        """
        from mlflow.entities import Metric, RunTag

        with explained():
            tags = self.client.get_run(self.run_id).data.tags
            if f"{_BATCH}{batch}" in tags:
                return False
            step = 1 + sum(name.startswith(_BATCH) for name in tags)
            when = int(datetime.fromisoformat(report.origin.scored_at).timestamp() * 1000)
            metrics = [Metric(name, value, when, step) for name, value in figures_of(report).items()]
            self.client.log_batch(self.run_id, metrics, tags=[RunTag(f"{_BATCH}{batch}", str(step))])
        return True

    def points(self) -> tuple[Point, ...]:
        """Every batch, the oldest first."""
        rows, p_values, shares = (self._metric(name) for name in ("rows", "p_value", "share_neither"))
        return tuple(Point(step, int(rows[step]), p_values.get(step), shares.get(step)) for step in sorted(rows))

    def retrained(self, batch: str) -> str | None:
        """The last time that training was started because of a batch, which any version may have scored; None: never."""
        name = f"{_RETRAINED}{batch}"
        with explained():
            runs = self.client.search_runs([self.experiment], f"tags.`{name}` LIKE '%'")
        return max((run.data.tags[name] for run in runs), default=None)

    def note_retraining(self, batch: str) -> None:
        """Note that training starts now because of a batch."""
        with explained():
            now = datetime.now(UTC).isoformat(timespec="seconds")
            self.client.set_tag(self.run_id, f"{_RETRAINED}{batch}", now)

    def forget_retraining(self, batch: str) -> None:
        """Remove that note."""
        with explained():
            self.client.delete_tag(self.run_id, f"{_RETRAINED}{batch}")

    def _metric(self, name: str) -> dict[int, float]:
        with explained():
            return {entry.step: entry.value for entry in self.client.get_metric_history(self.run_id, name)}


def open_history(registry: Registry, version: int) -> History:
    """The history of a version; a new one if there is none."""
    client = registry.client
    experiment = experiment_id(client, f"{registry.name}-watch")
    with explained():
        runs = client.search_runs(
            [experiment], f"tags.`{WATCHED}` = '{version}'", order_by=["attributes.start_time ASC"]
        )
        if runs:
            return History(client, experiment, str(runs[0].info.run_id))
        tags = {WATCHED: str(version), "mlflow.runName": f"version {version}"}
        run_id = str(client.create_run(experiment, tags=tags).info.run_id)
        client.set_terminated(run_id)  # metrics can still be added, and the run does not look as if it hung
    return History(client, experiment, run_id)


def figures_of(report: DriftReport) -> Mapping[str, float]:
    """The figures of a batch by name, without those that were not measured."""
    figures: dict[str, float | None] = {
        "rows": float(report.rows),
        "drift": float(bool(report.drifted)) if report.enough else None,
        "p_value": report.p_value,
        "auroc": None if report.separation is None else report.separation.auroc,
        "confidence": None if report.confidence is None else report.confidence.new,
        "share_neither": None if report.neither is None else report.neither.new.value,
    }
    for finding in report.findings:
        figures |= {f"{finding.what}.p_value": finding.p_value, f"{finding.what}.statistic": finding.statistic}
    return {name: value for name, value in figures.items() if value is not None}
