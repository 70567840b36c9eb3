"""Which rows of the manifest are reviewed: each content once."""

from collections import defaultdict

from thaw.dataset.manifest import SPLITS, TRAIN, Example, Manifest


def labelled_contents(manifest: Manifest) -> list[Example]:
    """Labelled rows, one for each content, sorted by path: of copies the first in the split that is held out furthest, test before val before train.

    Contents with contradicting labels are left out, as they are of training; the ingest report names them.
    """
    labels: dict[bytes, set[str]] = defaultdict(set)
    kept: dict[bytes, Example] = {}
    for row in manifest.examples():
        if row.label is None:
            continue
        labels[row.digest].add(row.label)
        held = kept.setdefault(row.digest, row)
        if SPLITS.index(row.split) > SPLITS.index(held.split):
            kept[row.digest] = row
    return sorted((row for digest, row in kept.items() if len(labels[digest]) == 1), key=lambda row: row.path)


def unlabelled_contents(manifest: Manifest) -> list[Example]:
    """Train rows without any label, one for each content, sorted by path.

    Not those of val and test: picked by what the head finds hard, they would measure something else than the head will meet.
    """
    rows = manifest.examples()
    elsewhere = {row.digest for row in rows if row.label is not None or row.split != TRAIN}
    first: dict[bytes, Example] = {}
    for row in rows:
        if row.digest not in elsewhere:
            first.setdefault(row.digest, row)
    return list(first.values())
