"""Words of a text, and their keys. These functions stand in the README of exports too, so they use nothing but NumPy and Python's own library."""

import hashlib
import re
import unicodedata
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

SIGNS = (
    "!-/:-@[-`{-~\u00a1-\u00a9\u00ab-\u00b1\u00b4\u00b6-\u00b8\u00bb\u00bf\u00d7\u00f7\u2010-\u2027\u2030-\u205e\u20a0-\u20cf\u2100-\u2bff\u3001-\u3004"
    "\u3008-\u3020\u3030\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\U0001f000-\U0001faff"
).replace("[", "\\[").replace("]", "\\]")  # fmt: skip
"""Signs, as the inside of a regular expression's class: punctuation, symbols and emoji; each is a word of its own."""
LETTERS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Letters of scripts without spaces between words (kana and Han); each is a word of its own."""
_RUN = rf"[^\s{SIGNS}{LETTERS}]+"
# Small and capital letters are made equal in contractions alone: elsewhere the sign of kelvin would count as the letter k.
WORD = re.compile(rf"\d+(?:[.,]\d+)+|{_RUN}(?=(?i:n't)\b)|(?i:n't)\b|'(?i:s|re|ve|ll|d|m)\b|{_RUN}|[{SIGNS}{LETTERS}]")
"""A word: a number, a word before `n't`, an English contraction, a run of letters with their marks, or a sign; as in the Penn Treebank and GloVe's corpora."""


def words_of(text: str, lowercase: bool) -> list[str]:
    """The words of a text in order, in Unicode's composed form, with typewriter apostrophes, without soft hyphens and marks of direction."""
    text = unicodedata.normalize("NFC", text).replace("\u2019", "'")
    text = re.sub("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]", "", text)
    return WORD.findall(text.lower() if lowercase else text)


@lru_cache(maxsize=2**18)
def key_of(word: str) -> int:
    """A number from a word, from -2**63 to 2**63 - 1, by which a network finds the word's vector."""
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little", signed=True)


def keys_of(text: str, lowercase: bool) -> NDArray[np.int64]:
    """The keys of a text's words: int64 [T]."""
    return np.array([key_of(word) for word in words_of(text, lowercase)], np.int64)
