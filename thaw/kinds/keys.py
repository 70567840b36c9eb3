"""The key of examples in JSON for programs: the name of their kind, such as `sounds`."""

from collections.abc import Mapping
from typing import Any

EXAMPLES = "examples"


def with_own_key(fields: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The same fields in the same order, with the name of the kind in the place of the key `examples`."""
    return {kind if name == EXAMPLES else name: value for name, value in fields.items()}
