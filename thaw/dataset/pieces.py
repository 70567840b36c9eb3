"""The names of pieces of longer recordings: `FILE#t=START,END`, in seconds, as in the W3C's Media Fragments (section 4.2.1)."""

import math
import re
from dataclasses import dataclass

from thaw.foundation.errors import BadExample

START, END = "start_s", "end_s"
"""Columns of a listing."""
_PIECE = re.compile(r"(?P<file>.+)#t=(?P<start>\d+(?:\.\d+)?),(?P<end>\d+(?:\.\d+)?)", re.DOTALL)


@dataclass(frozen=True)
class Piece:
    """A piece of the recording at `file`, from `start_s` to `end_s` seconds."""

    file: str
    start_s: float
    end_s: float

    def __str__(self) -> str:
        return f"{self.file}#t={_written(self.start_s)},{_written(self.end_s)}"


def piece_in(path: str) -> Piece | None:
    """The piece that a path names; None: it names a whole file."""
    found = _PIECE.fullmatch(path)
    return None if found is None else Piece(found["file"], float(found["start"]), float(found["end"]))


def piece_between(file: str, start: str, end: str) -> Piece | None:
    """The piece of a recording between two cells of a table; None: both are empty, which means the whole file.

    Raises:
        BadExample: they are no times, or the end is not behind the start.
    """
    if not start and not end:
        return None
    try:
        start_s, end_s = float(start or 0), float(end)
    except ValueError as error:
        raise BadExample(
            f"has {START} `{start}` and {END} `{end}` in the listing; both are numbers of seconds"
        ) from error
    if not (math.isfinite(start_s) and math.isfinite(end_s) and 0 <= start_s < end_s):
        raise BadExample(
            f"has {START} {start or 0} and {END} {end} in the listing; the end is behind the start, and neither is below 0"
        )
    return Piece(file, start_s, end_s)


def _written(seconds: float) -> str:
    """Seconds, to a millionth, without needless zeros."""
    return f"{seconds:.6f}".rstrip("0").rstrip(".")
