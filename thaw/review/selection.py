"""The rows of the manifest that are reviewed: each content once."""

from collections import defaultdict

from thaw.dataset.manifest import SPLITS, TRAIN, Example, Manifest


def labelled_contents(manifest: Manifest) -> list[Example]:
    """Labelled rows, one for each content, sorted by path; of copies the first of the test is taken, else of val, else of train.

    Contents with contradicting labels are left out here and in training; the ingest report names them.
    """
    labels: dict[bytes, set[tuple[str, ...]]] = defaultdict(set)
    kept: dict[bytes, Example] = {}
    for row in manifest.examples():
        if row.names is None:
            continue
        labels[row.digest].add(row.names)
        earlier = kept.setdefault(row.digest, row)
        if SPLITS.index(row.split) > SPLITS.index(earlier.split):
            kept[row.digest] = row
    return sorted((row for digest, row in kept.items() if len(labels[digest]) == 1), key=lambda row: row.path)


def unlabelled_contents(manifest: Manifest) -> list[Example]:
    """Train rows without any label, one for each content, sorted by path.

    Rows of val and test are left out: a choice of hard examples would bias what these splits measure.
    """
    rows = manifest.examples()
    elsewhere = {row.digest for row in rows if row.names is not None or row.split != TRAIN}
    first: dict[bytes, Example] = {}
    for row in rows:
        if row.digest not in elsewhere:
            first.setdefault(row.digest, row)
    return list(first.values())
