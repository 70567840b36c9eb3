"""The file of a certificate that was not requested; it is a module of its own, because the record's libraries take many seconds to load."""

from pathlib import Path

from thaw.foundation.files.atomic import write_text


def write_absent(path: Path) -> None:
    """Write a file, atomically, that `read_certificate` reads as None."""
    write_text(path, "null\n")
