"""fastText's own format (`.bin`): words with their vectors, and the vectors of sub-words."""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from thaw.foundation.errors import BadWeights
from thaw.foundation.parallel.progress import Progress, untold
from thaw.kinds.texts.subwords import grams_of

MAGIC = (793712314).to_bytes(4, "little")
_VERSIONS = (11, 12)
_TOLD_EVERY = 10_000
_LONGEST_WORD = 10_000


@dataclass(frozen=True)
class FastText:
    """words: the most frequent first. counts: int64 [V], in the corpus. vectors: float32 [V, D], of words with their sub-words. grams: float32 [B, D].

    shortest, longest: characters of a sub-word; without sub-words B is 0.
    """

    words: list[str]
    counts: NDArray[np.int64]
    vectors: NDArray[np.float32]
    grams: NDArray[np.float32]
    shortest: int
    longest: int


def is_fasttext(path: Path) -> bool:
    """Whether a file begins like fastText's own format."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def read_fasttext(path: Path, progress: Progress = untold) -> FastText:
    """Read a model that fastText wrote, unsupervised or supervised.

    progress: called with the number of words that are read.

    Raises:
        BadWeights: the file is of another version, quantised (`.ftz`), pruned, or cut short.
    """
    try:
        with path.open("rb") as file:
            return _read(path, file, progress)
    except (struct.error, EOFError, UnicodeDecodeError) as error:
        raise BadWeights(f"{path} is damaged or cut short; fetch it again") from error


def _read(path: Path, file: BinaryIO, progress: Progress) -> FastText:
    magic, version = file.read(len(MAGIC)), _numbers(file, "<i")[0]
    if magic != MAGIC or version not in _VERSIONS:
        raise BadWeights(
            f"{path} is of an old or a newer version of fastText's format; versions 11 and 12 are read, and the `.vec` file beside it"
        )
    dim, *_, bucket, shortest, longest, _rate = _numbers(file, "<12i")
    _numbers(file, "<d")
    entries, words, _labels = _numbers(file, "<3i")
    _tokens, pruned = _numbers(file, "<2q")
    if pruned > 0:
        raise BadWeights(f"{path} is pruned; the model that it was made of is read")
    read = [_entry(file) for _ in range(entries)]
    (quantised,) = _numbers(file, "<?")
    if quantised:
        raise BadWeights(f"{path} is quantised (`.ftz`); the `.bin` file that it was made of is read")
    rows, columns = _numbers(file, "<2q")
    buckets = rows - words
    if columns != dim or rows < words or (longest and buckets not in (0, bucket)):
        raise BadWeights(f"{path} is damaged: a matrix of {rows} x {columns} for {words} words of {dim} dimensions")
    if path.stat().st_size < file.tell() + 4 * rows * dim:
        raise EOFError
    matrix = np.memmap(path, "<f4", "r", offset=file.tell(), shape=(rows, dim))
    names = [word.decode("utf-8", "replace") for word, _ in read[:words]]
    counts = np.array([count for _, count in read[:words]], np.int64)
    if not longest or not buckets:
        return FastText(names, counts, np.array(matrix[:words]), np.zeros((0, dim), np.float32), 0, 0)
    grams = np.array(matrix[words:])
    vectors = np.empty((words, dim), np.float32)
    for number, name in enumerate(names):
        own = grams_of(name, shortest, longest, bucket)
        vectors[number] = (matrix[number] + grams[list(own)].sum(0)) / (1 + len(own))
        if number % _TOLD_EVERY == 0:
            progress(number, words)
    progress(words, words)
    return FastText(names, counts, vectors, grams, shortest, longest)


def _numbers(file: BinaryIO, layout: str) -> tuple[int, ...]:
    return struct.unpack(layout, file.read(struct.calcsize(layout)))


def _entry(file: BinaryIO) -> tuple[bytes, int]:
    """A word of the dictionary and its count."""
    word = bytearray()
    while (letter := file.read(1)) != b"\0":
        if not letter or len(word) > _LONGEST_WORD:
            raise EOFError
        word += letter
    count, _kind = _numbers(file, "<qb")
    return bytes(word), count
