"""Which rows are reviewed."""

from thaw.dataset.manifest import Example, build_manifest
from thaw.review.selection import labelled_contents, unlabelled_contents


def row(number: int, path: str, label: str | None, split: str) -> Example:
    return Example(bytes([number]) * 32, path, label, split, None, (1, 1, 3), 9)


MANIFEST = build_manifest(
    [
        row(1, "a", "ants", "train"),
        row(1, "b", "ants", "test"),
        row(1, "c", "ants", "val"),
        row(2, "d", "ants", "train"),
        row(2, "e", "bees", "train"),
        row(3, "f", None, "train"),
        row(3, "g", None, "train"),
        row(4, "h", None, "train"),
        row(4, "i", None, "test"),
        row(5, "j", None, "train"),
        row(5, "k", "bees", "train"),
        row(6, "l", None, "val"),
    ]
)


def test_a_content_counts_once_where_it_is_held_out_furthest() -> None:
    assert [one.path for one in labelled_contents(MANIFEST)] == ["b", "k"]


def test_what_val_and_test_hold_and_what_has_a_label_is_not_proposed() -> None:
    assert [one.path for one in unlabelled_contents(MANIFEST)] == ["f"]
