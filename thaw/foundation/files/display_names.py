"""The display of names of classes and files, which may hold any characters."""

import unicodedata

JOINERS = "\u200c\u200d"
"""Invisible letters that Persian, Indic scripts and some emoji need."""


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
    """The name in lower case, in one Unicode form, without spaces around it; names of the same plain form almost surely mean the same thing."""
    return unicodedata.normalize("NFC", name.strip().casefold())


def alike(first: str, second: str) -> bool:
    """Whether two names differ by no more than case, spaces around them, or Unicode form."""
    return plain(first) == plain(second)
