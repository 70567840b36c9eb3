"""Which rows of the manifest a head is trained, chosen and measured on."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

from thaw.dataset.manifest import TEST, TRAIN, VAL, Example, Manifest
from thaw.foundation.errors import BadManifest


def training_examples(manifest: Manifest, labels_per_class: int | None, seed: int | None = None) -> tuple[Example, ...]:
    """The labelled train rows to learn from, sorted by path.

    A digest comes once, never when it is also in val or test, and never when its labels contradict each
    other. With `labels_per_class`, each class keeps its first ones in the order of the digests, or in an
    order drawn by `seed`; so the examples of a budget are among those of every larger one.

    Raises:
        BadManifest: fewer than two classes are left, val or test holds a class that is not among them, or images have sets of labels.
    """
    if manifest.multilabel:  # what takes sets of labels asks `thaw.dataset.label_sets_selection`
        raise BadManifest("this works on one label an image so far, and the listing has sets of labels")
    by_class: dict[str, list[Example]] = defaultdict(list)
    for example in _usable(manifest.examples()):
        by_class[str(example.label)].append(example)
    _check(by_class.keys(), manifest)
    chosen = (
        row for rows in by_class.values() for row in sorted(rows, key=lambda row: _rank(row, seed))[:labels_per_class]
    )
    return tuple(sorted(chosen, key=lambda row: row.path))


def validation_examples(manifest: Manifest) -> tuple[Example, ...]:
    """The labelled val rows whose digest is not in test: choices are made on them, and the test must stay
    unseen. Sorted by path."""
    test = {row.digest for row in manifest.examples() if row.split == TEST}
    return tuple(row for row in examples_of(manifest, VAL) if row.digest not in test)


def examples_of(manifest: Manifest, split: str) -> tuple[Example, ...]:
    """The labelled rows of a split, sorted by path; duplicates stay."""
    return tuple(row for row in manifest.examples() if row.split == split and row.label is not None)


def class_names_of(examples: Iterable[Example]) -> tuple[str, ...]:
    """The labels of `examples`, sorted; a target is an index in them."""
    return tuple(sorted({str(example.label) for example in examples}))


def _usable(examples: Sequence[Example]) -> list[Example]:
    """Labelled train rows, the first of each digest, without held-out and contradictory digests."""
    held_out = {row.digest for row in examples if row.split != TRAIN}
    labels: dict[bytes, set[str]] = defaultdict(set)
    first: dict[bytes, Example] = {}
    for row in examples:
        if row.split == TRAIN and row.label is not None and row.digest not in held_out:
            labels[row.digest].add(row.label)
            first.setdefault(row.digest, row)
    return [row for digest, row in first.items() if len(labels[digest]) == 1]


def _rank(row: Example, seed: int | None) -> bytes:
    """What a class's examples are ordered by: the digest, or a hash of it with the seed."""
    if seed is None:
        return row.digest
    return hashlib.blake2b(row.digest, key=str(seed).encode(), digest_size=32).digest()


def _check(trained: Iterable[str], manifest: Manifest) -> None:
    known = set(trained)
    if len(known) < 2:
        found = f"only {sorted(known)[0]!r}" if known else "none"
        raise BadManifest(
            f"training examples must show two classes or more, and there is {found}; "
            "add labelled images to the train split"
        )
    for split in (VAL, TEST):
        unknown = sorted(set(class_names_of(examples_of(manifest, split))) - known)
        if unknown:
            names = ", ".join(repr(name) for name in unknown)
            raise BadManifest(
                f"{split} holds classes without training examples: {names}; add some to train, or remove them"
            )
