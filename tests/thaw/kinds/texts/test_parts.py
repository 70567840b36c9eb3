"""Words and phrases of a text that can be taken away."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thaw.foundation.errors import BadExample
from thaw.kinds.parts import Span
from thaw.kinds.texts.parts import parts_of, phrases, without, word_spans
from thaw.kinds.texts.word_keys import words_of

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


def shown(text: str) -> list[str]:
    return [text[span.start : span.end] for span in word_spans(text)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don’t stop!", ["Do", "n’t", "stop", "!"]),
        ("un cafe\u0301 noir", ["un", "cafe\u0301", "noir"]),
        ("か\u3099く", ["か\u3099", "く"]),
        (f"nice👍🏽 {FAMILY} ❤\ufe0f", ["nice", "👍🏽", FAMILY, "❤\ufe0f"]),
        ("🇩🇪🇫🇷", ["🇩🇪", "🇫🇷"]),
        ("\u202egood\u202c co\u00adop", ["good", "co\u00adop"]),
        ("\u200f \u200b", []),
        ("שָׁלוֹם עולם", ["שָׁלוֹם", "עולם"]),
        ("日本", ["日", "本"]),
    ],
)
def test_words_are_whole_as_readers_see_them(text: str, words: list[str]) -> None:
    assert shown(text) == words


@given(TEXTS)
def test_spans_are_in_order_and_hold_every_letter(text: str) -> None:
    spans = word_spans(text)
    assert all(one.start < one.end for one in spans)
    assert all(one.end <= other.start for one, other in pairwise(spans))
    covered = {place for span in spans for place in range(span.start, span.end)}
    assert all(place in covered for place, letter in enumerate(text) if letter.isalnum())


@given(st.lists(st.sampled_from(["do", "not", "3.50", "!", "日", "naïve", "(", "x-y"]), min_size=2), st.data())
def test_without_a_word_the_others_are_as_before(words: list[str], data: st.DataObject) -> None:
    text = " ".join(words)
    spans = word_spans(text)
    gone = data.draw(st.sampled_from(range(len(spans))))
    kept = [text[span.start : span.end] for place, span in enumerate(spans) if place != gone]
    left = without(text, spans[gone])
    assert [word for each in kept for word in words_of(each, False)] == words_of(left, False)
    assert "  " not in left


def test_neighbours_do_not_grow_together() -> None:
    assert without("well-known", Span(4, 5)) == "well known"
    assert without("a b c", Span(2, 3)) == "a c"
    assert without("a b", Span(0, 1)) == "b" and without("a b", Span(2, 3)) == "a "


@given(st.lists(st.sampled_from(["a", "b.", "c!", "日"]), max_size=60).map(" ".join), st.integers(1, 12))
def test_phrases_hold_each_word_once_and_are_few(text: str, most: int) -> None:
    spans = word_spans(text)
    found = phrases(text, spans, most)
    assert len(found) <= most
    within = [[span for span in spans if one.start <= span.start and span.end <= one.end] for one in found]
    assert [span for each in within for span in each] == spans and all(within)


def test_phrases_go_on_to_the_end_of_a_sentence() -> None:
    text = "one two three four. five six seven eight. nine ten"
    assert [text[span.start : span.end] for span in phrases(text, word_spans(text), 4)] == [
        "one two three four.",
        "five six seven eight.",
        "nine ten",
    ]


def test_the_words_of_a_part_are_its_parts() -> None:
    text = "one two three four. five six"
    parts = parts_of(text.encode(), 3, Span(20, 28))
    assert [text[span.start : span.end] for span in parts.spans] == ["five", "six"]
    assert parts.without == (b"one two three four. six", b"one two three four. five ")


def test_a_text_of_one_word_has_no_parts_and_bad_bytes_are_refused() -> None:
    assert parts_of(b" Wonderful ", 8).spans == () and parts_of("\ufeff\u200b".encode(), 8).spans == ()
    assert parts_of(b"one two three", 1).spans == (), "without the only phrase nothing would be left"
    with pytest.raises(BadExample, match="nothing but spaces"):
        parts_of(b"  ", 8)
