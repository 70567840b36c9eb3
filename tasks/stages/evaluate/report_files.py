"""The files of every report: tables as CSV, metrics with their intervals, the report of the ingestion, the certificate's page."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tasks.project.paths import INGEST
from thaw.dataset.ingest_report import IngestReport
from thaw.evaluation.certificate.page import figure_pngs, render_certificate
from thaw.foundation.errors import BadArtifact
from thaw.foundation.files.atomic import write_bytes, write_text
from thaw.foundation.statistics.bootstrap import Estimate
from thaw.kinds.kind import Words
from thaw.strategies.certificate.record import Certificate


def table_of(heading: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A CSV text with a heading."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(heading)
    table.writerows(rows)
    return text.getvalue()


def with_intervals(metrics: Mapping[str, Estimate]) -> dict[str, float]:
    """The metrics, each as NAME, NAME_low and NAME_high."""
    flat: dict[str, float] = {}
    for name, estimate in metrics.items():
        flat |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    return flat


def read_ingest_report() -> IngestReport:
    """Read the report of the stage `ingest`.

    Raises:
        BadArtifact: the report is missing or damaged.
    """
    path = INGEST / "report.json"
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return IngestReport(**{**values, "copies": (), "notes": tuple(values["notes"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadArtifact(f"{path} cannot be read ({error}); run `thaw run --stage ingest`") from error


def write_certificate_page(certificate: Certificate, title: str, examples: Words, report: Path) -> None:
    """Write `certificate.html` and its figures into `report`. examples: the words for them."""
    for name, png in figure_pngs(certificate, examples):
        write_bytes(report / "figures" / f"certificate-{name}.png", png)
    write_text(report / "certificate.html", render_certificate(certificate, title, examples))
