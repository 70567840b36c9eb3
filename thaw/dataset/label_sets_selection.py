"""Which rows of a manifest of label sets a head is trained, chosen and measured on. The counterpart of `thaw.dataset.selection`."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from thaw.dataset.manifest import TEST, TRAIN, VAL, Example, Manifest
from thaw.foundation.errors import BadManifest


def training_examples(manifest: Manifest, labels_per_class: int | None) -> tuple[Example, ...]:
    """The labelled train rows to learn from, sorted by path.

    A digest comes once, never when it is also in val or test, and never when its label sets contradict each other. With `labels_per_class`, each class
    keeps the first ones that show it in the order of the digests, and so do the rows that show none; a row that one class keeps is there for all, so
    frequent companions may have more. The rows of a budget are among those of every larger one.

    Raises:
        BadManifest: there are fewer than two classes, all rows or none show one of them, or val or test holds a class that train does not.
    """
    usable = _usable(manifest.examples())
    _check(usable, manifest)
    kept = _within_budget(usable, labels_per_class)
    return tuple(sorted(kept, key=lambda row: row.path))


def validation_examples(manifest: Manifest) -> tuple[Example, ...]:
    """The labelled val rows whose digest is not in test, sorted by path."""
    test = {row.digest for row in manifest.examples() if row.split == TEST}
    return tuple(row for row in examples_of(manifest, VAL) if row.digest not in test)


def examples_of(manifest: Manifest, split: str) -> tuple[Example, ...]:
    """The labelled rows of a split, sorted by path; duplicates stay."""
    return tuple(row for row in manifest.examples() if row.split == split and row.labels is not None)


def class_names_of(examples: Iterable[Example]) -> tuple[str, ...]:
    """Every label of `examples`, sorted."""
    return tuple(sorted({name for example in examples for name in example.labels or ()}))


def _usable(examples: Sequence[Example]) -> list[Example]:
    """Labelled train rows, the first of each digest, without held-out and contradictory digests."""
    held_out = {row.digest for row in examples if row.split != TRAIN}
    said: dict[bytes, set[tuple[str, ...]]] = defaultdict(set)
    first: dict[bytes, Example] = {}
    for row in examples:
        if row.split == TRAIN and row.labels is not None and row.digest not in held_out:
            said[row.digest].add(row.labels)
            first.setdefault(row.digest, row)
    return [row for digest, row in first.items() if len(said[digest]) == 1]


def _within_budget(rows: Sequence[Example], labels_per_class: int | None) -> Iterable[Example]:
    if labels_per_class is None:
        return rows
    by_class: dict[str | None, list[Example]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.digest):
        for name in row.labels or (None,):
            by_class[name].append(row)
    return {row.digest: row for ones in by_class.values() for row in ones[:labels_per_class]}.values()


def _check(rows: Sequence[Example], manifest: Manifest) -> None:
    names = class_names_of(rows)
    if len(names) < 2:
        found = f"only {names[0]!r}" if names else "none"
        raise BadManifest(
            f"training examples must show two classes or more, and there is {found}; add labelled images to the train split"
        )
    always = [name for name in names if all(name in (row.labels or ()) for row in rows)]
    if always:
        raise BadManifest(
            f"every training example shows {', '.join(map(repr, always))}, so there is nothing to tell it from; "
            "add some without it, or leave that label out of the listing"
        )
    for split in (VAL, TEST):
        unknown = sorted(set(class_names_of(examples_of(manifest, split))) - set(names))
        if unknown:
            raise BadManifest(
                f"{split} holds classes without training examples: {', '.join(map(repr, unknown))}; add some to train, or remove them"
            )
