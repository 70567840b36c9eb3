"""Files of word vectors: GloVe's and word2vec's text (`.txt`, `.vec`), and word2vec's binary format (`.bin`)."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from thaw.foundation.errors import BadWeights
from thaw.foundation.parallel.progress import Progress, untold

_HEAD = 4096
_TOLD_EVERY = 50_000


@dataclass(frozen=True)
class Vectors:
    """words: in the order of the file, the most frequent first as a rule. vectors: float32 [V, D]. skipped: number of lines that hold no vector."""

    words: list[str]
    vectors: NDArray[np.float32]
    skipped: int


def is_vectors(path: Path) -> bool:
    """Whether a file begins like one of word vectors."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return _header(head) is not None or _is_line(head.split(b"\n", 1)[0])


def read_vectors(path: Path, progress: Progress = untold) -> Vectors:
    """Read word vectors; the content tells the format.

    progress: called with the bytes that are read.

    Raises:
        BadWeights: the file holds none, is cut short, or has another format.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEAD)
        header = _header(head)
        file.seek(0 if header is None else len(header.line))
        if header is not None and not _is_line(head[len(header.line) :].split(b"\n", 1)[0], header.dim):
            return _binary(path, file, header, size, progress)
        return _text(path, file, header, size, progress)


@dataclass(frozen=True)
class _Header:
    line: bytes
    words: int
    dim: int


def _header(head: bytes) -> _Header | None:
    """The first line of word2vec's formats, the numbers of words and of dimensions."""
    line, end, _ = head.partition(b"\n")
    parts = line.split()
    if not end or len(parts) != 2 or not all(part.isdigit() for part in parts):
        return None
    words, dim = map(int, parts)
    return _Header(line + end, words, dim) if words and 0 < dim < 100_000 else None


def _is_line(line: bytes, dim: int | None = None) -> bool:
    """Whether a line has a word and numbers."""
    parts = line.rstrip().split(b" ")
    if len(parts) < (3 if dim is None else dim + 1):
        return False
    try:
        return all(math.isfinite(float(part)) for part in parts[-(dim or len(parts) - 1) :])
    except ValueError:
        return False


def _text(path: Path, file: BinaryIO, header: _Header | None, size: int, progress: Progress) -> Vectors:
    words, rows, skipped, dim = [], [], 0, None if header is None else header.dim
    for line in file:
        parts = line.rstrip(b"\r\n ").split(b" ")
        dim = dim or len(parts) - 1
        row = _numbers(parts[-dim:]) if len(parts) > dim else None
        if row is None:
            skipped += 1
            continue
        # GloVe's largest files have words with spaces in them.
        words.append(b" ".join(parts[:-dim]).decode("utf-8", "replace"))
        rows.append(row)
        if len(rows) % _TOLD_EVERY == 0:
            progress(file.tell(), size)
    if not rows:
        raise BadWeights(f"{path} holds no word vectors; a line is a word and its numbers, with spaces between them")
    progress(size, size)
    return Vectors(words, np.stack(rows), skipped)


def _numbers(parts: list[bytes]) -> NDArray[np.float32] | None:
    try:
        row = np.array(parts, dtype=np.float32)
    except ValueError:
        return None
    return row if np.isfinite(row).all() else None


def _binary(path: Path, file: BinaryIO, header: _Header, size: int, progress: Progress) -> Vectors:
    """word2vec's binary format: each word, a space, and its numbers as float32."""
    words: list[str] = []
    vectors = np.empty((header.words, header.dim), np.float32)
    for number, (word, row) in enumerate(_entries(file, header)):
        words.append(word)
        vectors[number] = row
        if number % _TOLD_EVERY == 0:
            progress(file.tell(), size)
    if len(words) < header.words:
        raise BadWeights(
            f"{path} is cut short, or no file of word vectors: its first line promises {header.words} words, and {len(words)} are there; fetch it again"
        )
    progress(size, size)
    return Vectors(words, vectors, 0)


def _entries(file: BinaryIO, header: _Header) -> Iterator[tuple[str, NDArray[np.float32]]]:
    nbytes = 4 * header.dim
    for _ in range(header.words):
        word = bytearray()
        while (letter := file.read(1)) not in (b" ", b""):
            word += letter
        row = file.read(nbytes)
        if len(row) < nbytes:
            return
        yield bytes(word).lstrip(b"\n").decode("utf-8", "replace"), np.frombuffer(row, "<f4")
