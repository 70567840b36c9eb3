"""What a record says that was written as JSON: nothing but tests reads it back."""

from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


def written(kind: type[T], path: Path) -> T:
    return TypeAdapter(kind).validate_json(path.read_bytes())
