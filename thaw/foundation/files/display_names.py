"""The display of names of classes and files, which may hold any characters."""

import unicodedata

from thaw.foundation.files.graphemes import end_after, end_before

JOINERS = "\u200c\u200d"
"""Invisible letters that Persian, Indic scripts and some emoji need."""
MARKS_OF_DIRECTION = "\u200e\u200f\u061c"
"""Invisible letters with a direction of their own; they reverse nothing."""
TAGS = "".join(map(chr, range(0xE0020, 0xE0080)))
"""Invisible letters of some flags."""
_NEW_EMOJI = range(0x1F000, 0x1FB00)
"""Emoji that are younger than Python's tables do not print by these."""
_REVERSED = {"R", "AL", "RLE", "RLO", "RLI"}
"""Unicode's classes of letters and marks whose text runs from right to left."""
_FORMAT = "Cf"
"""Unicode's category of invisible characters, such as zero-width spaces and byte-order marks."""


def shown(name: str) -> str:
    """The name with a sign in the place of each letter that does not print: control characters, and marks that reverse the text."""
    return "".join(letter if _is_shown(letter) else "\ufffd" for letter in name)


def _is_shown(letter: str) -> bool:
    return letter.isprintable() or letter in JOINERS + MARKS_OF_DIRECTION + TAGS or ord(letter) in _NEW_EMOJI


def in_sentence(name: str) -> str:
    """The name of `shown` for the middle of a sentence: one that runs from right to left stands between marks that keep it apart from the words around it.

    Unicode Standard Annex #9, "Unicode Bidirectional Algorithm", section 2.4.2.
    """
    clean = shown(name)
    return f"\u2068{clean}\u2069" if any(unicodedata.bidirectional(letter) in _REVERSED for letter in clean) else clean


def shortened(name: str, longest: int) -> str:
    """The name of `shown`, cut in the middle to at most `longest` letters; a letter keeps its marks."""
    clean = shown(name)
    if len(clean) <= longest:
        return clean
    head = longest // 2
    return f"{clean[: end_before(clean, head)]}…{clean[end_after(clean, len(clean) - (longest - head - 1)) :]}"


def plain(name: str) -> str:
    """The name in lower case, in one Unicode form, with single spaces inside, and without invisible characters and spaces around it.

    Names of the same plain form almost surely mean the same thing.
    """
    visible = "".join(letter for letter in name if unicodedata.category(letter) != _FORMAT)
    return unicodedata.normalize("NFC", " ".join(visible.split()).casefold())


def stripped(name: str) -> str:
    """The name without spaces and invisible characters around it; those inside stay."""
    while name and (name[0].isspace() or unicodedata.category(name[0]) == _FORMAT):
        name = name[1:]
    while name and (name[-1].isspace() or unicodedata.category(name[-1]) == _FORMAT):
        name = name[:-1]
    return name


def alike(first: str, second: str) -> bool:
    """Whether two names differ by no more than case, spaces, invisible characters, or Unicode form."""
    return plain(first) == plain(second)
