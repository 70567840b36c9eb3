"""Words as the Penn Treebank cuts them, which NLTK does too. These functions stand in the README of exports too, so they use nothing but NumPy and Python's own
library.

Rules: MacIntyre, "Treebank tokenization", University of Pennsylvania 1995. Differences from NLTK are in the ends of sentences: it has a trained model of
abbreviations, and here they are known by their form.
"""

import re
import unicodedata

import numpy as np
from numpy.typing import NDArray

from thaw.kinds.texts.word_keys import key_of

ABBREVIATION = re.compile(
    r"(?:^|[\s(\"])(?:[A-Za-z]|[A-Za-z](?:\.[A-Za-z])+|Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|Rev|Gen|Col|Lt|Capt|Sgt|Gov|Sen|Rep|Hon|vs|etc|e\.g|i\.e|No|Inc|Ltd|Co|Corp)\.$"
)
"""A beginning of a text whose last full stop ends a shortened word, and no sentence."""
END = re.compile(r"[.?!]+[)\]}\"']*(?=\s+[(\[{\"'`]*[A-Z0-9])")
SPLIT = re.compile(
    r"``|''|--+|\.\.+|[;@#$%&?!*()\[\]{}<>\u00ab\u00bb\u2012-\u2015\u2026]|[:,](?!\d)"  # signs
    r"|'(?i:s|m|d|ll|re|ve)(?![^\W_])|(?i:n't)(?![^\W_])"  # the ends of contractions
    r"|(?<![^\s(\[{<])'(?=\w)|'(?=[\s?!.,:;)]|$)"  # quotes
)
JOINED = re.compile(
    r"\b(?:(can)(not)|(d)('ye)|(gim)(me)|(gon)(na)|(got)(ta)|(lem)(me)|(more)('n)|(wan)(na))\b", re.IGNORECASE
)


def treebank_words(text: str, lowercase: bool) -> list[str]:
    """The words of a text in order; double quotes are `` and '' as in the Treebank."""
    text = unicodedata.normalize("NFC", text).replace("\u2019", "'").replace("\u2018", "'")
    text = text.replace("\u201c", " `` ").replace("\u201d", " '' ")
    text = text.lower() if lowercase else text
    return [word for sentence in sentences_of(text) for word in words_in(sentence)]


def sentences_of(text: str) -> list[str]:
    """The sentences of a text: they end with a stop before a capital letter or a number."""
    ends = [found.end() for found in END.finditer(text) if not ABBREVIATION.search(text[: found.end()][-12:])]
    return [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]


def words_in(sentence: str) -> list[str]:
    """The words of one sentence; only its last full stop is a word of its own."""
    sentence = re.sub(r"(^|[\s(\[{<])\"", r"\1 `` ", sentence).replace('"', " '' ")
    sentence = re.sub(r"([^.])\.([\])}>\"'\s]*)$", r"\1 . \2", sentence)
    sentence = SPLIT.sub(r" \g<0> ", sentence)
    return JOINED.sub(lambda found: " ".join(part for part in found.groups() if part), sentence).split()


def treebank_keys(text: str, lowercase: bool) -> NDArray[np.int64]:
    """The keys of a text's words: int64 [T]."""
    return np.array([key_of(word) for word in treebank_words(text, lowercase)], np.int64)
