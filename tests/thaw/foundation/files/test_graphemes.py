"""Where a text may be cut, beside another implementation of Unicode's rules."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scripts import FAMILY, FLAG, SCOTLAND, SKIN, TEXTS

from thaw.foundation.files.graphemes import end_after, end_before, is_between

regex = pytest.importorskip("regex", reason="the package regex, which transformers brings, is not installed")
LETTERS = st.one_of(
    st.sampled_from(
        [
            *FAMILY,
            *FLAG,
            *SKIN,
            *SCOTLAND,
            *"aé가각कक्षिषमानน้ำไทยשָׁלوםمِ\r\n \t",
            "\u1112",
            "\u1161",
            "\u11ab",
            "\u200c",
            "\u0300",
            "\ufe0f",
        ]
    ),
    st.characters(codec="utf-8", categories=["L", "M", "N", "P", "Zs"], max_codepoint=0xFFFF),
)


def ends(text: str) -> set[int]:
    return {0, *(found.end() for found in regex.finditer(r"\X", text))}


@given(text=st.text(LETTERS, max_size=30))
@example(text=FAMILY + FLAG + FLAG + SKIN + SCOTLAND)
@example(text="\u1112\u1161\u11ab각각\u11a8")
@example(text="\r\n\r")
def test_no_cut_lies_inside_a_grapheme(text: str) -> None:
    allowed = ends(text)
    for place in range(len(text) + 1):
        if is_between(text, place):
            assert place in allowed, (text, place)


@pytest.mark.parametrize("text", TEXTS)
def test_real_texts_are_cut_at_every_grapheme(text: str) -> None:
    assert {place for place in range(len(text) + 1) if is_between(text, place)} == ends(text)


@given(text=st.text(LETTERS, max_size=30), place=st.integers(-2, 40))
def test_the_ends_lie_on_both_sides(text: str, place: int) -> None:
    before, after = end_before(text, place), end_after(text, place)
    assert before <= max(place, 0) and is_between(text, before)
    assert after >= min(place, len(text)) and is_between(text, after)
    assert (before == after) == is_between(text, min(max(place, 0), len(text)))


def test_a_row_of_marks_without_end_is_cut() -> None:
    assert end_before("a" + 500 * "\u0301", 400) == 400
    assert end_after("a" + 500 * "\u0301", 200) == 200
