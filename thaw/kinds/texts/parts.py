"""Words of a text that can be taken away, with their places in the text as it was given."""

import re
import unicodedata
from collections.abc import Sequence

from thaw.kinds.parts import Parts, Span
from thaw.kinds.texts.files import text_in
from thaw.kinds.texts.word_keys import WORD

_SAME_LENGTH = str.maketrans({"\u2019": "'", "\u00ad": "\u200b"})
"""A typewriter's apostrophe, and a soft hyphen inside of a word, as `thaw.kinds.texts.word_keys.words_of` sees them."""
_UNSEEN = "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
_JOINER = "\u200d"
_TONES = re.compile("[\U0001f3fb-\U0001f3ff]")
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]")
_END = re.compile("[.!?\u2026\u061f\u06d4\u0964\u3002\uff01\uff1f]")
"""Signs at the end of a sentence."""


def parts_of(content: bytes, most: int, within: Span | None = None) -> Parts:
    """At most `most` parts of a text: its words, or phrases of neighbouring words in a longer one. There are none in a text of one word.

    A phrase of a longer text goes on to the end of its sentence, if that comes before it is twice as long. within: the part whose words are taken; None: the
    whole text.

    Raises:
        BadExample: see `text_in`.
    """
    text = text_in(content)
    words = word_spans(text)
    region = within or Span(0, len(text))
    chosen = [word for word in words if region.start <= word.start and word.end <= region.end]
    spans = phrases(text, chosen, most)
    if len(spans) == 1 and len(chosen) == len(words):
        spans = []  # without it nothing is left
    return Parts(text, tuple(spans), tuple(without(text, span).encode() for span in spans))


def word_spans(text: str) -> list[Span]:
    """The words as readers see them, in order: marks, joined emoji and flags stay whole, and marks of direction belong to no word."""
    spans: list[Span] = []
    for found in WORD.finditer(text.translate(_SAME_LENGTH)):
        start, end = found.span()
        if spans and spans[-1].end == start and _goes_on(text[spans[-1].start : start], text[start]):
            spans[-1] = Span(spans[-1].start, end)
        else:
            spans.append(Span(start, end))
    return [span for span in (_seen(text, span) for span in spans) if span.start < span.end]


def _goes_on(before: str, letter: str) -> bool:
    """Whether a word that the rules would begin with `letter` is the rest of the word before it."""
    if letter == _JOINER or before[-1] == _JOINER or _TONES.match(letter):
        return True
    if unicodedata.category(letter).startswith("M"):
        return True
    return bool(_FLAG.fullmatch(before) and _FLAG.match(letter))


def _seen(text: str, span: Span) -> Span:
    """The span without marks of direction and the like at its ends."""
    word = text[span.start : span.end]
    return Span(span.end - len(word.lstrip(_UNSEEN)), span.start + len(word.rstrip(_UNSEEN)))


def phrases(text: str, words: Sequence[Span], most: int) -> list[Span]:
    """At most `most` spans that hold all words, each word once."""
    size = -(-len(words) // most)
    if size <= 1:
        return list(words)
    spans, first = [], 0
    while first < len(words):
        last = min(first + size, len(words)) - 1
        ends = (place for place in range(last, min(last + size, len(words))) if _ends(text, words[place]))
        last = next(ends, last)
        spans.append(Span(words[first].start, words[last].end))
        first = last + 1
    return spans


def _ends(text: str, word: Span) -> bool:
    return bool(_END.fullmatch(text[word.start : word.end]))


def without(text: str, span: Span) -> str:
    """The text without a part; the words beside it neither grow together nor get a second space between them."""
    before, after = text[: span.start], text[span.end :]
    if not before or before[-1].isspace():
        return before + (after[1:] if after[:1] == " " else after)
    return before + after if not after or after[0].isspace() else f"{before} {after}"
