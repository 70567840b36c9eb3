"""Vocabularies by the keys of their words, sorted, as networks look words up."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from thaw.kinds.texts.word_keys import key_of


def sorted_keys(words: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The keys of different words, int64 [V], sorted, and the place of the first word with each; of equal words, the first one counts."""
    first: dict[int, int] = {}
    for place, word in enumerate(words):
        first.setdefault(key_of(word), place)
    keys, places = np.array(list(first), np.int64), np.array(list(first.values()), np.int64)
    order = np.argsort(keys)
    return keys[order], places[order]
