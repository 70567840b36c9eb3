"""The stage `ingest`: the source's files to the manifest, with a report and the list of rejected files."""

import csv
import io
import logging
from collections.abc import Iterable
from pathlib import Path

from tasks.paths import INGEST, MANIFEST
from tasks.progress import counted
from tasks.running import stage
from thaw.errors import TooManyRejected
from thaw.files import write_text
from thaw.ingestion import Ingested, ingest
from thaw.manifest import write_manifest
from thaw.params import read_params

log = logging.getLogger(__name__)

REPORT = INGEST / "report.json"
REJECTED = INGEST / "rejected.csv"


def main() -> None:
    """Ingest `dataset.source`; write the manifest, the report and the list of rejected files."""
    params = read_params().dataset
    try:
        with counted("ingest", "files") as progress:
            ingested = ingest(Path(params.source), params, progress=progress)
    except TooManyRejected as error:
        write_text(REJECTED, _as_csv(error.rejected))
        raise TooManyRejected(f"{error}; all of them are in {REJECTED}", error.rejected) from error
    write_text(REJECTED, _as_csv((one.path, one.reason) for one in ingested.rejected))
    write_text(REPORT, ingested.report.to_json())
    write_manifest(ingested.manifest, MANIFEST)
    _tell(ingested)


def _as_csv(rejected: Iterable[tuple[str, str]]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("path", "reason"))
    table.writerows(rejected)
    return text.getvalue()


def _tell(ingested: Ingested) -> None:
    report = ingested.report
    splits = ", ".join(f"{count} {split}" for split, count in report.splits.items())
    log.info("%d images of %d classes: %s", report.examples, len(report.classes), splits)
    for note in report.notes:
        log.info("- %s", note)


if __name__ == "__main__":
    stage(main)
