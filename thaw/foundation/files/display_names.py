"""Names of classes and files, which may hold anything, made fit to be shown."""

import unicodedata

JOINERS = "\u200c\u200d"
"""Invisible, but needed by Persian, by Indic scripts and by some emoji."""


def shown(name: str) -> str:
    """The name with a sign in place of what does not print: control characters, and marks that reverse the text."""
    return "".join(letter if letter.isprintable() or letter in JOINERS else "\ufffd" for letter in name)


def shortened(name: str, longest: int) -> str:
    """`shown`, cut in the middle to at most `longest` letters, so that beginning and end stay."""
    clean = shown(name)
    if len(clean) <= longest:
        return clean
    head = longest // 2
    return f"{clean[:head]}…{clean[len(clean) - (longest - head - 1) :]}"


def plain(name: str) -> str:
    """The name in lower case, in one Unicode form, without spaces around it: names of the same plain form are almost surely meant to be one."""
    return unicodedata.normalize("NFC", name.strip().casefold())


def alike(first: str, second: str) -> bool:
    """Whether two names differ by no more than case, spaces around them, or Unicode form."""
    return plain(first) == plain(second)
