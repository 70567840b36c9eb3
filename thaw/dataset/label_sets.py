"""A set of labels as text: the names with `|` between them, `|` alone for a set of none."""

from collections.abc import Iterable

SEPARATOR = "|"


def as_label_set(names: Iterable[str]) -> tuple[str, ...]:
    """Each name once, sorted, without spaces around it and without empty ones: equal sets are equal tuples."""
    return tuple(sorted({name.strip() for name in names} - {""}))


def join_labels(names: Iterable[str]) -> str:
    """`ant|bee`; `|` for none."""
    return SEPARATOR.join(names) or SEPARATOR


def split_labels(text: str) -> tuple[str, ...]:
    """The set that `join_labels` wrote."""
    return as_label_set(text.split(SEPARATOR))
