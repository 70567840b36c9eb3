"""Sub-words of words, as fastText cuts them. These functions stand in the README of exports too, so they use nothing but NumPy and Python's own library."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


def bucket_of(gram: bytes) -> int:
    """The hash of a sub-word, FNV-1a of 32 bits with fastText's signed bytes."""
    value = 2166136261
    for byte in gram:
        value = ((value ^ (byte if byte < 128 else byte | 0xFFFFFF00)) * 16777619) & 0xFFFFFFFF
    return value


@lru_cache(maxsize=2**18)
def grams_of(word: str, shortest: int, longest: int, buckets: int) -> tuple[int, ...]:
    """The buckets of a word's runs of `shortest` to `longest` characters, with `<` and `>` around the word, from 0 to `buckets` - 1."""
    text = f"<{word}>"
    runs = (
        text[start : start + size]
        for start in range(len(text))
        for size in range(shortest, min(longest, len(text) - start) + 1)
        if size > 1 or 0 < start < len(text) - 1  # the marks alone are no sub-words
    )
    return tuple(bucket_of(run.encode()) % buckets for run in runs)


def subwords_of(words: Sequence[str], shortest: int, longest: int, buckets: int) -> NDArray[np.int64]:
    """The sub-words of all words, int64 [M, 2]: the bucket, from 1 on, and the place of the word. 0 is no bucket; each word has two rows or more."""
    rows = []
    for place, word in enumerate(words):
        grams = [1 + gram for gram in grams_of(word, shortest, longest, buckets)]
        # With two rows a word, M is never the number of words, so the two dimensions of a batch cannot be taken for each other.
        rows += [(gram, place) for gram in [*grams, 0, 0][: max(2, len(grams))]]
    return np.array(rows, np.int64).reshape(-1, 2)
