"""The columns of a table whose rows are examples."""

from collections.abc import Sequence

_TEXT = (
    "text", "sentence", "review", "comment", "message", "tweet", "content", "body", "document", "utterance", "question",
)  # fmt: skip
"""Names of the column with the example itself, the surest first."""
_LABEL = ("label", "labels", "class", "class_name", "class name", "category", "target")
_OTHERS = ("split", "group", "id")


def find_row_columns(columns: Sequence[str]) -> dict[str, str] | None:
    """The column of each role: text, label or labels, split, group and id; None: no column is known to hold texts.

    columns: in the form of `thaw.dataset.listing_tables.column_names`. A column with paths makes the table a listing of files.
    """
    text = next((name for name in _TEXT if name in columns), None)
    if text is None or "path" in columns:
        return None
    label = next((name for name in _LABEL if name in columns), None)
    labelling = {} if label is None else {"labels" if label == "labels" else "label": label}
    return {"text": text, **labelling} | {name: name for name in _OTHERS if name in columns}
