"""The rows of the manifest that a head is trained, chosen and measured on."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

from thaw.dataset.manifest import TEST, TRAIN, VAL, Example, Manifest
from thaw.foundation.errors import BadManifest


def training_examples(manifest: Manifest, labels_per_class: int | None, seed: int | None = None) -> tuple[Example, ...]:
    """The labelled train rows to learn from, sorted by path.

    Each digest comes once. Digests that are also in val or test, or whose labels contradict each other, are left out.

    With `labels_per_class`, each class keeps the first rows that show it, in the order of the digests or in an order drawn by `seed`; the rows that show no
    class count as one class more, and with a trigger all of them are kept. So the examples of a budget are among those of every larger budget. A row that is
    kept for one class counts for all classes that it shows, so a class that often appears beside others may have more rows.

    Raises:
        BadManifest: fewer than two classes are left, all rows show one of them, or val or test holds a further class.
    """
    usable = _usable(manifest.examples())
    _check(usable, manifest)
    chosen = _within_budget(usable, labels_per_class, seed, without=manifest.has_triggers)
    return tuple(sorted(chosen, key=lambda row: row.path))


def refuse_unteachable(manifest: Manifest) -> None:
    """Refuse a manifest from which no head can be trained.

    Raises:
        BadManifest: see `training_examples`.
    """
    _check(_usable(manifest.examples()), manifest)


def validation_examples(manifest: Manifest) -> tuple[Example, ...]:
    """The labelled val rows whose digest is not in test, sorted by path; choices are made on them, and the test must stay unseen."""
    test = {row.digest for row in manifest.examples() if row.split == TEST}
    return tuple(row for row in examples_of(manifest, VAL) if row.digest not in test)


def examples_of(manifest: Manifest, split: str) -> tuple[Example, ...]:
    """The labelled rows of a split, sorted by path; duplicates stay."""
    return tuple(row for row in manifest.examples() if row.split == split and row.names is not None)


def class_names_of(examples: Iterable[Example]) -> tuple[str, ...]:
    """Every label of `examples`, sorted; the number of a class is its place in the order."""
    return tuple(sorted({name for example in examples for name in example.names or ()}))


def _usable(examples: Sequence[Example]) -> list[Example]:
    """Labelled train rows, the first of each digest, without held-out and contradictory digests."""
    held_out = {row.digest for row in examples if row.split != TRAIN}
    labels: dict[bytes, set[tuple[str, ...]]] = defaultdict(set)
    first: dict[bytes, Example] = {}
    for row in examples:
        if row.split == TRAIN and row.names is not None and row.digest not in held_out:
            labels[row.digest].add(row.names)
            first.setdefault(row.digest, row)
    return [row for digest, row in first.items() if len(labels[digest]) == 1]


def _within_budget(
    rows: Sequence[Example], labels_per_class: int | None, seed: int | None, *, without: bool
) -> Iterable[Example]:
    """without: whether every row that shows no class is kept."""
    if labels_per_class is None:
        return rows
    by_class: dict[str | None, list[Example]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: _rank(row, seed)):
        for name in row.names or (None,):
            by_class[name].append(row)
    kept = {
        name: members[: None if without and name is None else labels_per_class] for name, members in by_class.items()
    }
    return {row.digest: row for members in kept.values() for row in members}.values()


def _rank(row: Example, seed: int | None) -> bytes:
    """The key that orders a class's examples: the digest, or a hash of it with the seed."""
    if seed is None:
        return row.digest
    return hashlib.blake2b(row.digest, key=str(seed).encode(), digest_size=32).digest()


def _check(rows: Sequence[Example], manifest: Manifest) -> None:
    names = class_names_of(rows)
    if manifest.has_triggers and not names:
        raise BadManifest("no training recording shows a trigger; add some to train")
    if len(names) < 2 and not manifest.has_triggers:
        given = f"only {names[0]!r}" if names else "none"
        raise BadManifest(
            f"training examples must show two classes or more, and there is {given}; "
            "add labelled examples to the train split"
        )
    always = [name for name in names if all(name in (row.names or ()) for row in rows)]
    if always:
        raise BadManifest(
            f"every training example shows {_quoted(always)}, so a model cannot learn when to name it; "
            "add examples without it, or leave that label out of the listing"
        )
    for split in (VAL, TEST):
        unknown = sorted(set(class_names_of(examples_of(manifest, split))) - set(names))
        if unknown:
            raise BadManifest(
                f"{split} holds classes without training examples: {_quoted(unknown)}; add some to train, or remove them"
            )


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))
