"""Excerpts of texts around their marks."""

from hypothesis import given
from hypothesis import strategies as st

from thaw.kinds.excerpt import LONGEST, marked_excerpt
from thaw.kinds.parts import Mark, Span

LONG = " ".join(f"word{number}" for number in range(2000))


def marks_on(text: str, *words: str) -> list[Mark]:
    return [Mark(Span(text.index(word), text.index(word) + len(word)), 1.0 - place / 4) for place, word in enumerate(words)]  # fmt: skip


def test_a_short_text_is_whole() -> None:
    shown = marked_excerpt("a  b\n c", marks_on("a  b\n c", "b"))
    assert shown.content == b"a  b\n c" and shown.marks == (Mark(Span(3, 4), 1.0),)
    assert marked_excerpt("", []).content == b""


def test_a_long_text_is_shown_around_its_strongest_mark() -> None:
    shown = marked_excerpt(LONG, marks_on(LONG, "word1500", "word7 "))
    text = shown.content.decode()
    assert text.startswith("… ") and text.endswith(" …") and len(text) < LONGEST + 100
    assert [text[mark.span.start : mark.span.end] for mark in shown.marks] == ["word1500"]
    beginning = marked_excerpt(LONG, marks_on(LONG, "word7 ", "word1500"))
    assert beginning.content.decode().startswith("word0 word1") and len(beginning.marks) == 1


@given(st.text(max_size=3000), st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 50)), max_size=5))
def test_every_mark_keeps_its_letters(text: str, places: list[tuple[int, int]]) -> None:
    marks, end = [], 0
    for start, size in sorted(places):
        if end <= start and start + size <= len(text):
            marks.append(Mark(Span(start, start + size), 1 / (1 + len(marks))))
            end = start + size
    text = text.replace("\ud800", "x")
    shown = marked_excerpt(text.encode(errors="replace").decode(), marks)
    wanted = {text.encode(errors="replace").decode()[mark.span.start : mark.span.end] for mark in marks}
    letters = shown.content.decode()
    assert {letters[mark.span.start : mark.span.end] for mark in shown.marks} <= wanted
    assert not marks or shown.marks, "the strongest mark is always there"
