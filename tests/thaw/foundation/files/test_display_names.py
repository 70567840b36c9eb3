"""Names are shown so that they can do no harm and can still be told apart."""

from hypothesis import given
from hypothesis import strategies as st
from scripts import NAMES, SCOTLAND, ZALGO

from thaw.foundation.files.display_names import alike, in_sentence, shortened, shown
from thaw.foundation.files.graphemes import end_before, is_between


def test_ordinary_names_of_any_script_stay() -> None:
    for name in (
        "ants & bees",
        "蜂",
        "می\u200cخواهم",
        "👩\u200d🔬",
        "\u200fשלום\u200e!",
        SCOTLAND,
        "\U0001fae8",
        *NAMES,
    ):
        assert shown(name) == name


def test_what_breaks_a_page_or_reverses_text_is_marked() -> None:
    assert shown("a\nb\x1b[31m\u202egpj") == "a\ufffdb\ufffd[31m\ufffdgpj"


@given(name=st.text(), longest=st.integers(3, 40))
def test_beginning_and_end_stay(name: str, longest: int) -> None:
    found = shortened(name, longest)
    assert len(found) <= max(longest, 0)
    if len(name) > longest:
        head, tail = found.split("…", 1) if "…" not in name else (found[: end_before(shown(name), longest // 2)], "")
        assert head == shown(name)[: len(head)] and longest // 2 - len(head) < 40
        assert shown(name).endswith(tail)


def test_a_letter_keeps_its_marks_where_a_name_is_cut() -> None:
    for name in (ZALGO * 9, "क्षमा" * 20, "👩\u200d🔬" * 20, "é" * 50, "ש\u05c1ל" * 20):
        for longest in range(8, 30):
            head, tail = shortened(name, longest).split("…")
            assert is_between(name, len(head)) and is_between(name, len(name) - len(tail))


def test_a_name_that_runs_from_right_to_left_stands_apart_in_a_sentence() -> None:
    assert in_sentence("ants") == "ants" and in_sentence("好") == "好"
    assert in_sentence("חיובי") == "\u2068חיובי\u2069"
    assert in_sentence("a\u2069\u202eb") == "a\ufffd\ufffdb"


def test_names_that_only_look_different_are_alike() -> None:
    assert alike("Ants ", "ants") and alike("caf\u00e9", "cafe\u0301")
    assert not alike("ants", "ant")
