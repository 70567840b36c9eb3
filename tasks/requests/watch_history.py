"""The history of drift in MLflow: in the experiment `NAME-watch` one run a version, whose metrics have a step for each batch."""

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
"""The tag of a run that says which version's history it is."""
_BATCH = "thaw.batch."
_RETRAINED = "thaw.retrained."


@dataclass(frozen=True)
class History:
    """The batches of one version so far, in the run `run_id` of the experiment `experiment`.

    Every method raises `Unreachable` where MLflow does not answer, and `RegistryError` where it answers that it can't.
    """

    client: "MlflowClient"
    experiment: str
    run_id: str

    def record(self, report: DriftReport, batch: str) -> bool:
        """Add a batch; False: it is there already, and nothing is added.

        A kill in between leaves a step without its tag; the next try writes the same step again, and MLflow keeps one of what is equal.
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
        """When training was last started because of a batch, whichever version had scored it; None: never."""
        name = f"{_RETRAINED}{batch}"
        with explained():
            found = self.client.search_runs([self.experiment], f"tags.`{name}` LIKE '%'")
        return max((run.data.tags[name] for run in found), default=None)

    def note_retraining(self, batch: str) -> None:
        """Note that training starts now because of a batch."""
        with explained():
            now = datetime.now(UTC).isoformat(timespec="seconds")
            self.client.set_tag(self.run_id, f"{_RETRAINED}{batch}", now)

    def forget_retraining(self, batch: str) -> None:
        """Take that note back."""
        with explained():
            self.client.delete_tag(self.run_id, f"{_RETRAINED}{batch}")

    def _metric(self, name: str) -> dict[int, float]:
        with explained():
            return {one.step: one.value for one in self.client.get_metric_history(self.run_id, name)}


def open_history(registry: Registry, version: int) -> History:
    """The history of a version, begun where there is none."""
    client = registry.client
    experiment = experiment_id(client, f"{registry.name}-watch")
    with explained():
        found = client.search_runs(
            [experiment], f"tags.`{WATCHED}` = '{version}'", order_by=["attributes.start_time ASC"]
        )
        if found:
            return History(client, experiment, str(found[0].info.run_id))
        tags = {WATCHED: str(version), "mlflow.runName": f"version {version}"}
        run_id = str(client.create_run(experiment, tags=tags).info.run_id)
        client.set_terminated(run_id)  # metrics may come all the same, and no run looks as if it hung
    return History(client, experiment, run_id)


def figures_of(report: DriftReport) -> Mapping[str, float]:
    """The figures of a batch by name; without what was not measured."""
    figures: dict[str, float | None] = {
        "rows": float(report.rows),
        "drift": float(bool(report.drifted)) if report.enough else None,
        "p_value": report.p_value,
        "auroc": None if report.separation is None else report.separation.auroc,
        "confidence": None if report.confidence is None else report.confidence.new,
        "share_neither": None if report.neither is None else report.neither.new.value,
    }
    for one in report.findings:
        figures |= {f"{one.what}.p_value": one.p_value, f"{one.what}.statistic": one.statistic}
    return {name: value for name, value in figures.items() if value is not None}
