"""Excerpts of texts in every script: short enough, from the beginning, and never cut inside what a reader takes for a letter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripts import CHINESE, EMOJI, FAMILY, TEXTS, THAI

from thaw.foundation.files.graphemes import is_between
from thaw.kinds.kind import Limits
from thaw.kinds.texts.preview import LONGEST, SHORT, preview

END = " …"


def excerpt(text: str, *, small: bool = False) -> str:
    shown = preview(text.encode(), Limits(), small=small)
    assert shown.media_type == "text/plain"
    return shown.content.decode()


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("small", [True, False])
def test_no_script_is_broken(text: str, small: bool) -> None:
    for shift in range(12):  # so that the cut falls on each part of a letter
        whole = "x" * shift + text
        found, longest = excerpt(whole, small=small), SHORT if small else LONGEST
        if found.endswith(END):
            found = found.removesuffix(END)
            assert longest // 3 < len(found) <= longest
        else:
            assert len(found) <= longest
            assert found == " ".join(whole.split())
        plain = " ".join(whole.split())
        assert plain.startswith(found) and is_between(plain, len(found))


def test_scripts_without_spaces_are_cut_between_letters() -> None:
    assert excerpt(CHINESE) == CHINESE[:LONGEST] + END
    assert len(excerpt(THAI, small=True)) > SHORT - 5
    assert excerpt(FAMILY * 300).removesuffix(END) == FAMILY * (LONGEST // len(FAMILY))
    assert excerpt(EMOJI, small=True).removesuffix(END)[0] == EMOJI[0]


def test_a_text_of_many_spaces_says_that_it_goes_on() -> None:
    assert excerpt("a" + " " * 5000 + "b") == "a" + END


@given(st.text(min_size=1, max_size=3000))
def test_any_text_has_an_excerpt(text: str) -> None:
    if "\0" in text or text.isspace() or not text.strip("\ufeff"):
        return
    found = excerpt(text)
    assert len(found) <= LONGEST + len(END)
