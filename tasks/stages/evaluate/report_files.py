"""What every report is written with: tables as CSV, metrics with their intervals, and the report of the ingestion."""

import csv
import io
import json
from collections.abc import Mapping, Sequence

from tasks.project.paths import INGEST
from thaw.dataset.ingest_report import IngestReport
from thaw.foundation.errors import BadArtifact
from thaw.foundation.statistics.bootstrap import Estimate


def table_of(heading: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """CSV with a heading."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(heading)
    table.writerows(rows)
    return text.getvalue()


def with_intervals(metrics: Mapping[str, Estimate]) -> dict[str, float]:
    """Each metric as NAME, NAME_low and NAME_high."""
    flat: dict[str, float] = {}
    for name, estimate in metrics.items():
        flat |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    return flat


def read_ingest_report() -> IngestReport:
    """Read what the stage `ingest` reported.

    Raises:
        BadArtifact: it is missing or damaged.
    """
    path = INGEST / "report.json"
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return IngestReport(**{**values, "copies": (), "notes": tuple(values["notes"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadArtifact(f"{path} cannot be read ({error}); run `thaw run --stage ingest`") from error
