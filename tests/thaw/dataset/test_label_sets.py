"""Label sets as text."""

from hypothesis import given
from hypothesis import strategies as st

from thaw.dataset.label_sets import as_label_set, join_labels, split_labels

names = st.text(min_size=1, max_size=8).filter(lambda text: "|" not in text)


@given(st.lists(names))
def test_a_set_comes_back_from_its_text(labels: list[str]) -> None:
    found = as_label_set(labels)
    assert split_labels(join_labels(found)) == found
    assert as_label_set(reversed(labels)) == found


def test_none_and_sloppy_spellings() -> None:
    assert join_labels(()) == "|"
    assert split_labels("|") == split_labels(" | ") == ()
    assert split_labels("bee| ant |bee|") == ("ant", "bee")
