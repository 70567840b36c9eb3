"""The key of examples in JSON for programs: the name of their kind, such as `sounds`."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

EXAMPLES = "examples"


def with_own_key(fields: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The same fields in the same order, with the name of the kind in the place of the key `examples`."""
    return {kind if name == EXAMPLES else name: value for name, value in fields.items()}


def keyed_by_kind(record: "DataclassInstance") -> dict[str, Any]:
    """The fields of a record with the fields `kind` and `examples`: the kind's name is the key of `examples`, and `kind` is left out."""
    fields = asdict(record)
    return with_own_key(fields, fields.pop("kind"))
