"""Graphemes, what a reader takes for one letter: a letter with its marks, a syllable of Hangul, an emoji of several code points.

The rules are those of the Unicode Standard Annex #29, "Unicode Text Segmentation", section 3.1.1, by Python's own tables; where these know too little, two
letters stay together.
"""

import unicodedata

_MARKS = {"Mn", "Mc", "Me"}
_JOINER, _NON_JOINER = "\u200d", "\u200c"
_STAY_BEHIND = {_JOINER, _NON_JOINER, "\u0e33", "\u0eb3", "\uff9e", "\uff9f", *map(chr, range(0x1F3FB, 0x1F400))}
"""Beside marks: the joiners, vowels of Thai and Lao, half-width sound marks, colours of skin."""
_TAGS = range(0xE0020, 0xE0080)
_STAY_BEFORE = {*map(chr, range(0x600, 0x606)), "\u06dd", "\u070f", "\u0890", "\u0891", "\u08e2", "\u0d4e", "\U000110bd", "\U000110cd"}  # fmt: skip
"""Signs that the next letter belongs to."""
_LINKERS = set("\u094d\u09cd\u0acd\u0b4d\u0c4d\u0d4d")
"""Marks that join two consonants of Indic scripts."""
_TOGETHER = {("L", "L"), ("L", "V"), ("V", "V"), ("V", "T"), ("T", "T")}
"""The last part of a letter of Hangul and the first part of the next one, if they are of one syllable."""
_FLAGS = range(0x1F1E6, 0x1F200)
"""Letters of which two are a flag."""
_LONGEST = 100
"""A longer row of marks is not meant to be read, and may be cut."""


def end_before(text: str, place: int) -> int:
    """The last end of a grapheme that is not behind `place`."""
    end = max(0, min(place, len(text)))
    for at in range(end, max(0, end - _LONGEST) - 1, -1):
        if is_between(text, at):
            return at
    return end


def end_after(text: str, place: int) -> int:
    """The first end of a grapheme that is not before `place`."""
    start = max(place, 0)
    for at in range(start, min(len(text), start + _LONGEST) + 1):
        if is_between(text, at):
            return at
    return min(start, len(text))


def is_between(text: str, place: int) -> bool:
    """Whether a text may be cut before its letter of that number."""
    if not 0 < place < len(text):
        return True
    before, after = text[place - 1], text[place]
    if _breaks(before) or _breaks(after):
        return before + after != "\r\n"
    if ord(before) in _FLAGS and ord(after) in _FLAGS:
        return _flags_before(text, place) % 2 == 0
    return not (_stays_behind(after) or _draws_in(before, after) or _is_syllable(before, after))


def _breaks(letter: str) -> bool:
    """Whether nothing is joined to a letter: line ends and control characters."""
    if letter in (_JOINER, _NON_JOINER) or ord(letter) in _TAGS or letter in _STAY_BEFORE:
        return False
    return unicodedata.category(letter) in {"Cc", "Cf", "Zl", "Zp"}


def _stays_behind(letter: str) -> bool:
    return unicodedata.category(letter) in _MARKS or letter in _STAY_BEHIND or ord(letter) in _TAGS


def _draws_in(before: str, after: str) -> bool:
    """Whether a letter takes the next one in."""
    is_linked = before in _LINKERS and unicodedata.category(after) == "Lo"
    return before == _JOINER or before in _STAY_BEFORE or is_linked


def _flags_before(text: str, place: int) -> int:
    """The number of letters of flags in a row before a place."""
    start = place
    while start and ord(text[start - 1]) in _FLAGS:
        start -= 1
    return place - start


def _is_syllable(before: str, after: str) -> bool:
    """Whether two letters of Hangul are of one syllable: consonants, then vowels, then consonants at the end."""
    return (_hangul(before)[-1:], _hangul(after)[:1]) in _TOGETHER


def _hangul(letter: str) -> str:
    """The parts of a syllable that a letter of Hangul holds, of L, V and T; empty for another letter."""
    code = ord(letter)
    if 0x1100 <= code < 0x1160 or 0xA960 <= code < 0xA97D:
        return "L"
    if 0x1160 <= code < 0x11A8 or 0xD7B0 <= code < 0xD7C7:
        return "V"
    if 0x11A8 <= code < 0x1200 or 0xD7CB <= code < 0xD7FC:
        return "T"
    if 0xAC00 <= code < 0xD7A4:
        return "LV" if (code - 0xAC00) % 28 == 0 else "LVT"
    return ""
