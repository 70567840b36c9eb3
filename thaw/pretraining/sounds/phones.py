"""Phones as single letters of the International Phonetic Alphabet, without stress, length and diacritics; a diphthong or an affricate is two."""

import unicodedata
from collections.abc import Sequence
from itertools import pairwise

LETTERS = "abcdefhijklmnopqrstuvwxyzæçðøħŋœɐɑɒɓɔɕɖɗəɚɛɜɝɟɡɣɥɦɨɪɫɬɭɯɲɳɵɸɹɻɽɾʀʁʂʃʈʉʊʋʌʎʏʐʑʒʔʝβθχᵻ"
"""The phones that a network tells apart; the number of a phone is its place here and 1, because 0 is the blank of CTC."""
_NUMBERS = {letter: number for number, letter in enumerate(LETTERS, 1)}
BLANK = 0
PHONES = len(LETTERS) + 1
"""The number of classes, with the blank."""


def numbers_of(name: str) -> list[int]:
    """The phones in a name of espeak-ng; a switch of the language, as `(en)`, and a pause have none."""
    if name.startswith("("):
        return []
    return [_NUMBERS[letter] for letter in name if unicodedata.category(letter) != "Lm" and letter in _NUMBERS]


def timed(phones: Sequence[tuple[str, int]], end: int) -> list[tuple[int, int]]:
    """Numbers of phones, each with the sample where it begins; two phones of one name have half of its time each.

    phones: names and beginnings. end: the sample where the last name ends.
    """
    bounds = [*phones, ("", end)]
    found = []
    for (name, begin), (_, finish) in pairwise(bounds):
        numbers = numbers_of(name)
        found += [(number, begin + (finish - begin) * place // len(numbers)) for place, number in enumerate(numbers)]
    return found


def error_rate(found: Sequence[Sequence[int]], true: Sequence[Sequence[int]]) -> float:
    """The phone error rate: insertions, deletions and substitutions of the nearest alignment, a true phone."""
    return sum(map(_distance, found, true)) / sum(map(len, true))


def _distance(found: Sequence[int], true: Sequence[int]) -> int:
    """The distance of Levenshtein."""
    row = list(range(len(true) + 1))
    for count, one in enumerate(found, 1):
        before, row = row, [count]
        for place, other in enumerate(true, 1):
            row.append(min(before[place] + 1, row[-1] + 1, before[place - 1] + (one != other)))
    return row[-1]
