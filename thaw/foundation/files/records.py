"""Records as JSON files: one value of a type that pydantic knows; it is written atomically, and read back only if it is whole and of this version."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from thaw.foundation.errors import BadArtifact
from thaw.foundation.files.atomic import write_bytes

T = TypeVar("T")


def write_record(adapter: TypeAdapter[T], record: T, path: Path) -> None:
    """Write a record, indented, atomically; the same record gives the same bytes. Fields with an alias (pydantic's) have it as their key."""
    write_bytes(path, adapter.dump_json(record, indent=2, by_alias=True) + b"\n")


def read_record(adapter: TypeAdapter[T], path: Path, say: Callable[[Exception], str]) -> T:
    """Read a record of `write_record`.

    say: makes the sentence for the user from the error.

    Raises:
        BadArtifact: the file is missing, damaged, or of another version.
    """
    try:
        return adapter.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise BadArtifact(say(error)) from error
