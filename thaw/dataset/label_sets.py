"""A set of labels as text: the names with `|` between them, or `|` alone for the empty set."""

from collections.abc import Iterable

SEPARATOR = "|"


def as_label_set(names: Iterable[str]) -> tuple[str, ...]:
    """Each name once, sorted, without spaces around it and without empty names; equal sets give equal tuples."""
    return tuple(sorted({name.strip() for name in names} - {""}))


def join_labels(names: Iterable[str]) -> str:
    """The names as `ant|bee`; `|` for the empty set."""
    return SEPARATOR.join(names) or SEPARATOR


def split_labels(text: str) -> tuple[str, ...]:
    """The set of a text of `join_labels`."""
    return as_label_set(text.split(SEPARATOR))
