"""The stage `ingest`: the source's files to the manifest, with a report and the list of rejected files."""

import logging
from pathlib import Path

from tasks.project.entry import stage
from tasks.project.local_state import TOO_MANY
from tasks.project.paths import INGEST, MANIFEST, SETTINGS
from tasks.project.progress import counted
from thaw.dataset.corrections import CORRECTIONS, LEAVE_OUT, read_corrections
from thaw.dataset.ingestion import Ingested, ingest
from thaw.dataset.manifest import write_manifest
from thaw.dataset.places import places_of
from thaw.dataset.selection import refuse_unteachable
from thaw.dataset.slices import FILE as SLICES
from thaw.dataset.slices import write_slices
from thaw.dataset.triggers import Aim
from thaw.foundation.errors import TooManyRejected
from thaw.foundation.files.atomic import replaced_folder, write_text
from thaw.foundation.files.csv_tables import write_rows
from thaw.kinds.kind import Kind
from thaw.params.values.kind import kind_of
from thaw.params.values.reading import read_settings

log = logging.getLogger(__name__)

_REJECTED_COLUMNS = ("path", "reason")


def main() -> None:
    """Ingest `dataset.source`, with the corrections; write the manifest, the report, and the lists of rejected and of corrected files."""
    whole, corrections = read_settings(SETTINGS), read_corrections(CORRECTIONS)
    params, kind = whole.dataset, kind_of(whole)
    try:
        with counted("ingest", "examples") as progress:
            aim = Aim(params.target, whole.trigger.words)
            ingested = ingest(places_of(params), params, kind, corrections=corrections, aim=aim, progress=progress)
    except TooManyRejected as error:
        write_rows(TOO_MANY, _REJECTED_COLUMNS, error.rejected)
        raise TooManyRejected(f"{error}; all of them are in {TOO_MANY}", error.rejected) from error
    refuse_unteachable(ingested.manifest)  # now, because the head's stage would find it after every forward pass
    with replaced_folder(INGEST) as folder:
        _write(ingested, folder)
    write_manifest(ingested.manifest, MANIFEST)
    _tell(ingested, kind)


def _write(ingested: Ingested, folder: Path) -> None:
    """Write the report, both lists, and the slices if there are any."""
    rejected = [(file.path, file.reason) for file in ingested.rejected]
    write_rows(folder / "rejected.csv", _REJECTED_COLUMNS, rejected)
    changes = [
        (file.path, file.before or "", LEAVE_OUT if file.after is None else file.after) for file in ingested.changes
    ]
    write_rows(folder / "corrections.csv", ("path", "from", "to"), changes)
    write_text(folder / "report.json", ingested.report.to_json())
    if ingested.slices is not None:
        write_slices(ingested.slices, folder / SLICES)


def _tell(ingested: Ingested, kind: Kind) -> None:
    report = ingested.report
    splits = ", ".join(f"{count} {split}" for split, count in report.splits.items())
    log.info("%d %s of %d classes: %s", report.examples, kind.words.many, len(report.classes), splits)
    for note in report.notes:
        log.info("- %s", note)


if __name__ == "__main__":
    stage(main)
