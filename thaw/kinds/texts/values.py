"""Texts that are given as values, and made-up texts."""

from pathlib import Path

import numpy as np

from thaw.foundation.errors import BadExample
from thaw.kinds.values import bytes_of, data_url

TINY = data_url(b"A short text.", "text/plain")
_SYLLABLES = ("ka", "lo", "mi", "ren", "tu", "sha", "bel", "or")


def from_value(value: object) -> bytes:
    """The bytes of a text that is given as a string, as bytes, as a `data:` URL, or as a `Path` of a file; a string is the text itself, never a path.

    Raises:
        BadExample: the value is none of these.
        OSError: the file cannot be read.
    """
    if isinstance(value, str) and not value.startswith("data:"):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, str | bytes | bytearray | memoryview | Path):
        content = bytes_of(value)
        assert content is not None
        return content
    raise BadExample(f"is given as {type(value).__name__}; strings, bytes, `data:` URLs and paths are taken")


def made_up(count: int) -> list[bytes]:
    """Texts of 5 to 40 made-up words."""
    chance = np.random.default_rng(0)
    return [_made_up(chance).encode() for _ in range(count)]


def _made_up(chance: np.random.Generator) -> str:
    return " ".join(
        "".join(chance.choice(_SYLLABLES, int(chance.integers(1, 4)))) for _ in range(int(chance.integers(5, 41)))
    )
