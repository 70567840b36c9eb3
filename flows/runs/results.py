"""The results of the pipeline, read from its files: the test metrics, the report, the registered version."""

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from tasks.project import paths
from thaw.foundation.errors import BadArtifact

REPORT_PAGE = paths.REPORT / "report.html"
METRICS = paths.REPORT / "metrics.json"
MEASURING = "evaluate"
"""The stage that measures, and writes the report."""


@dataclass(frozen=True)
class Metric:
    """A number measured on the test split, with its interval if there is one."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None

    @property
    def title(self) -> str:
        """The name for people."""
        return {"accuracy": "accuracy", "macro_f1": "macro F1"}.get(self.name, self.name)


@dataclass(frozen=True)
class Registered:
    """The last model version that the pipeline registered."""

    name: str
    version: str

    @property
    def uri(self) -> str:
        return f"models:/{self.name}/{self.version}"


@dataclass(frozen=True)
class Results:
    """The pipeline's results; a missing result is empty or None."""

    metrics: tuple[Metric, ...]
    rows: int
    """Rows of the test split."""
    report: Path | None
    registered: Registered | None

    def of_run(self, stages: Collection[str], *, registers: bool) -> "Results":
        """The results that a run of these stages has brought up to date; registers: whether it also was to make a version."""
        measured = replace(self, registered=self.registered if registers else None)
        return measured if MEASURING in stages else replace(measured, metrics=(), rows=0, report=None)

    def metric(self, name: str) -> Metric | None:
        """The metric of that name, such as `accuracy`."""
        return next((metric for metric in self.metrics if metric.name == name), None)

    @property
    def headline(self) -> Metric | None:
        """The first figure to report: the accuracy, the macro F1 of a model of label sets, or the misses of a trigger."""
        return self.metric("accuracy") or self.metric("macro_f1") or self.metric("misses")

    @property
    def right(self) -> Metric | None:
        """The share of right rows: the accuracy, or the exact matches of a model of label sets."""
        return self.metric("accuracy") or self.metric("exact_match")


def read_results(root: Path) -> Results:
    """Read the results of the last run of the pipeline below `root`.

    Raises:
        BadArtifact: a file exists but does not have the content that the stages write.
    """
    test = _object(_read_object(root / METRICS).get("test"))
    registered = _read_object(root / paths.REGISTERED)
    page = root / REPORT_PAGE
    return Results(
        metrics=_metrics(test),
        rows=int(test.get("n", 0)),
        report=page if page.is_file() else None,
        registered=_registered(registered),
    )


def _metrics(test: dict[str, float]) -> tuple[Metric, ...]:
    names = [name for name in test if name != "n" and not name.endswith(("_low", "_high"))]
    return tuple(Metric(name, test[name], test.get(f"{name}_low"), test.get(f"{name}_high")) for name in names)


def _registered(values: dict[str, object]) -> Registered | None:
    if "name" not in values or "version" not in values:
        return None
    return Registered(str(values["name"]), str(values["version"]))


def _object(value: object) -> dict[str, float]:
    """The plain numbers of a JSON object."""
    pairs = value.items() if isinstance(value, dict) else ()
    return {name: number for name, number in pairs if isinstance(number, int | float)}


def _read_object(path: Path) -> dict[str, object]:
    """A JSON object from a file; empty if there is no file."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise BadArtifact(f"{path} cannot be read ({error}); `thaw run` makes it again") from error
    if not isinstance(values, dict):
        raise BadArtifact(f"{path} holds no JSON object; `thaw run` makes it again")
    return values
