"""Characters of words, as ELMo takes them. These functions stand in the README of exports too, so they use nothing but NumPy and Python's own library."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def characters_of(words: Sequence[str], longest: int) -> NDArray[np.int16]:
    """The bytes of words in UTF-8, one word a row: int16 [T, longest], each number one higher, because 0 stands for no word.

    A word stands between its two marks, and a longer one is cut. A text without words is one empty word.
    """
    # 256 and 257 are the marks of a sentence's beginning and end, 258 and 259 those of a word's, and 260 fills the row.
    rows = np.full((max(1, len(words)), longest), 260, np.int16)
    for row, word in zip(rows, words or [""], strict=True):
        marked = [258, *word.encode("utf-8", "ignore")[: longest - 2], 259]
        row[: len(marked)] = marked
    return rows + np.int16(1)


def sentence_marks(longest: int) -> NDArray[np.int16]:
    """The marks of a sentence's beginning and end, as `characters_of` writes words: int16 [2, longest]."""
    rows = characters_of(["", ""], longest)
    rows[:, 1:3] = [[256 + 1, 259 + 1], [257 + 1, 259 + 1]]
    return rows
