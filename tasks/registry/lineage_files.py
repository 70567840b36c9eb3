"""The files below `lineage/` in a version's MLflow run, by which the version can be traced and rebuilt."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

from tasks.project.dvc_lock import LOCK
from tasks.project.git import changed_files
from tasks.project.paths import MANIFEST
from thaw.dataset.manifest import read_manifest
from thaw.foundation.files.atomic import write_text
from thaw.lineage.surroundings import installed_packages, this_machine
from thaw.lineage.training_examples import list_training_examples, write_training_examples
from thaw.params.sections import Params
from thaw.params.values.reading import PARAMS

LINEAGE = "lineage"
"""The folder of the run's artifacts."""
PACKAGES, MACHINE, TRAINING, CHANGED = "packages.json", "machine.json", "training.parquet", "changed.json"
LISTING = "listing"
"""The source's listing at that time, if there is one: `listing` with its own ending."""


def write_lineage(params: Params, folder: Path) -> None:
    """Write all files to `folder`; those that do not exist (no DVC, no listing) are left out."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in (LOCK, PARAMS):
        if file.is_file():
            shutil.copyfile(file, folder / file.name)
    write_text(folder / PACKAGES, json.dumps(installed_packages(), indent=2) + "\n")
    write_text(folder / MACHINE, json.dumps(asdict(this_machine()), indent=2) + "\n")
    write_text(folder / CHANGED, json.dumps(changed_files(), indent=2) + "\n")
    examples = list_training_examples(read_manifest(MANIFEST), params.dataset.labels_per_class)
    write_training_examples(examples, folder / TRAINING)
    listing = Path(params.dataset.source, params.dataset.listing or "")
    if listing.is_file():
        shutil.copyfile(listing, folder / f"{LISTING}{listing.suffix}")
