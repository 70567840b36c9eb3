"""Words between spaces, as TF-hub's modules of word vectors cut them. These functions stand in the README of exports too, so they use nothing but NumPy and
Python's own library."""

import re
import unicodedata

import numpy as np
from numpy.typing import NDArray

from thaw.kinds.texts.fingerprints import fingerprint_of


def spaced_words(text: str, punctuation: bool, empty: bool) -> list[str]:
    """The words of a text in order, with their capitals; one empty word if there is none.

    Line ends and tabs count as spaces, and those around the text do not count. punctuation: whether it stays. empty: whether there is an empty word between
    two spaces.
    """
    text = re.sub(r"\s", " ", text.strip("\r\n"))
    if not punctuation:
        text = "".join(letter for letter in text if not unicodedata.category(letter).startswith("P"))
    words = text.split(" ")
    return words if empty else [word for word in words if word] or [""]


def fingerprints_of(text: str, punctuation: bool, empty: bool) -> NDArray[np.int64]:
    """The fingerprints of a text's words: int64 [T]."""
    return np.array([fingerprint_of(word) for word in spaced_words(text, punctuation, empty)], np.int64)
