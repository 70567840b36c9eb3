"""The page of the findings."""

import re

import pytest
from evaluations import HOSTILE
from review_pages import FINDINGS, hostile_page

from thaw.kinds.images.kind import KIND
from thaw.review.page import NONE, build_sections, render_page, share, verdict
from thaw.targets.one_label.target import ONE_LABEL


def test_names_are_escaped_and_nothing_is_asked_for() -> None:
    page = hostile_page()
    assert HOSTILE not in page
    assert page.count("<script") == page.count("</script>") == 2
    assert "default-src 'none'" in page
    assert not re.search(r"""(?:src|href)=["'](?!data:)""", page)
    assert "Shown: 1 of 7" in page and "two labels" in page


def test_images_of_a_pair_stand_together() -> None:
    sections = build_sections(FINDINGS, {"suspect": 1, "duplicate": 1, "unlabelled": 1})
    assert [[len(card) for card in section.cards] for section in sections] == [[1], [2], [1]]


def test_without_findings_it_says_so_in_words() -> None:
    sections = build_sections((), {"suspect": 0, "duplicate": 0, "unlabelled": 0})
    page = render_page("photos", sections, ("ants", "bees"), {}, words=KIND.words, target=ONE_LABEL)
    assert verdict(sections, KIND.words).startswith("There is nothing to review")
    assert all(sentence.format(one="image", many="images") in page for sentence in NONE.values())


@pytest.mark.parametrize(
    ("value", "said"), [(0.0, "0"), (0.004, "under 1"), (0.034, "3"), (0.996, "over 99"), (1.0, "100")]
)
def test_shares(value: float, said: str) -> None:
    assert share(value) == f"{said}\u202f%"
