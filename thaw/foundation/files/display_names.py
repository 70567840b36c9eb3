"""The display of names of classes and files, which may hold any characters."""

import unicodedata

JOINERS = "\u200c\u200d"
"""Invisible letters that Persian, Indic scripts and some emoji need."""
_FORMAT = "Cf"
"""Unicode's category of invisible characters, such as zero-width spaces and byte-order marks."""


def shown(name: str) -> str:
    """The name with a sign in the place of each letter that does not print: control characters, and marks that reverse the text."""
    return "".join(letter if letter.isprintable() or letter in JOINERS else "\ufffd" for letter in name)


def shortened(name: str, longest: int) -> str:
    """The name of `shown`, cut in the middle to at most `longest` letters."""
    clean = shown(name)
    if len(clean) <= longest:
        return clean
    head = longest // 2
    return f"{clean[:head]}…{clean[len(clean) - (longest - head - 1) :]}"


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
