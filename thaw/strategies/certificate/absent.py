"""The file of a certificate that nobody asked for; apart from the record itself, whose libraries take many seconds to load."""

from pathlib import Path

from thaw.foundation.files.atomic import write_text


def write_absent(path: Path) -> None:
    """Write, atomically, what `read_certificate` reads as None."""
    write_text(path, "null\n")
