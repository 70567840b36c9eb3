"""Names are shown so that they can do no harm and can still be told apart."""

from hypothesis import given
from hypothesis import strategies as st

from thaw.foundation.files.display_names import alike, shortened, shown


def test_ordinary_names_of_any_script_stay() -> None:
    for name in ("ants & bees", "蜂", "می\u200cخواهم", "👩\u200d🔬"):
        assert shown(name) == name


def test_what_breaks_a_page_or_reverses_text_is_marked() -> None:
    assert shown("a\nb\x1b[31m\u202egpj") == "a\ufffdb\ufffd[31m\ufffdgpj"


@given(name=st.text(), longest=st.integers(3, 40))
def test_beginning_and_end_stay(name: str, longest: int) -> None:
    found = shortened(name, longest)
    assert len(found) <= max(longest, 0)
    if len(name) > longest:
        assert found[: longest // 2] == shown(name)[: longest // 2]
        assert found.endswith(shown(name)[-1]) or longest - longest // 2 == 1


def test_names_that_only_look_different_are_alike() -> None:
    assert alike("Ants ", "ants") and alike("caf\u00e9", "cafe\u0301")
    assert not alike("ants", "ant")
