"""The words that are spoken: frequent ones of a corpus, without the words that later measure the network."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from thaw.foundation.errors import BadSource

HELD_OUT = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "alexa",
    "jarvis",
    "smart",
    "mirror",
    "view",
    "glass",
)
"""Words of the benchmarks: digits, and triggers. None of them is spoken, nor a word that begins or ends with one, nor one that sounds the same."""
_WORD = re.compile(r"\b[a-z]{2,10}\b")


def is_held_out(word: str) -> bool:
    """Whether a word is one of `HELD_OUT`, or begins or ends with one."""
    return any(word.startswith(held) or word.endswith(held) for held in HELD_OUT)


def vocabulary_of(lines: Iterable[str], count: int, sound: Callable[[str], Sequence[int]]) -> tuple[str, ...]:
    """The most frequent words, in the order of the alphabet; sound: the phones of a word.

    Raises:
        BadSource: the corpus has fewer words.
    """
    counts = Counter(word for line in lines for word in _WORD.findall(line.lower()))
    sounds = {tuple(sound(word)) for word in HELD_OUT}
    found: dict[tuple[int, ...], str] = {}
    # Words of one sound are one class, so that the network is not asked what cannot be heard.
    for word in sorted(counts, key=lambda word: (-counts[word], word)):
        if not is_held_out(word) and (heard := tuple(sound(word))) not in sounds:
            found.setdefault(heard, word)
        if len(found) == count:
            return tuple(sorted(found.values()))
    raise BadSource(
        f"the corpus has {len(found):,} different words that may be spoken, and {count:,} are asked for; give more text, or set fewer words"
    )
