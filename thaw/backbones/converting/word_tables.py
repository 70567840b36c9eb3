"""Lists of words beside tables of vectors, and tables in the order of the networks' keys."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from thaw.backbones.converting.vector_files import is_vectors, read_vectors
from thaw.foundation.errors import BadWeights
from thaw.kinds.texts.word_keys import key_of

_AT_ONCE = 50_000


def read_words(path: Path) -> list[str]:
    """The words of a file with one in each line, or of a file of word vectors.

    Raises:
        BadWeights: the file is missing, or no text in UTF-8.
    """
    if not path.is_file():
        raise BadWeights(f"{path} does not exist; it should hold the network's words, one in each line")
    if is_vectors(path):
        return read_vectors(path).words
    try:
        lines = path.read_bytes().decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise BadWeights(f"{path} is no text in UTF-8, so it is no list of words ({error})") from error
    return [line.strip() for line in lines[: -1 if not lines[-1] else None]]


def in_order(keys: Sequence[int]) -> tuple[Tensor, NDArray[np.int64]]:
    """The different keys, sorted: int64 [V], and the row of each: int64 [V]. Of rows with the same key the last one counts, as in the original programs."""
    rows = {key: row for row, key in enumerate(keys)}
    sorted_keys = np.array(sorted(rows), np.int64)
    return torch.from_numpy(sorted_keys), np.array([rows[int(key)] for key in sorted_keys], np.int64)


def sorted_keys(words: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The different keys of words, sorted: int64 [V], and the place of each: int64 [V]. Of words with the same key the first one counts."""
    keys, places = in_order([key_of(word) for word in reversed(words)])
    return keys.numpy(), len(words) - 1 - places


def table_of(vectors: NDArray[np.generic], rows: NDArray[np.int64], unknown: int | None) -> Tensor:
    """The vectors of rows, and behind them that of unknown words: float32 [V + 1, D]; unknown: its row, None: it is zero."""
    table = np.zeros((len(rows) + 1, vectors.shape[1]), np.float32)
    for start in range(0, len(rows), _AT_ONCE):  # so that a table of gigabytes is not copied twice
        chosen = rows[start : start + _AT_ONCE]
        table[start : start + len(chosen)] = vectors[chosen]
    if unknown is not None:
        table[-1] = vectors[unknown]
    return torch.from_numpy(table)
