"""The page of a drift report, and its words."""

import re

import numpy as np
import pytest
from drifting import batch, reference, renamed, report
from evaluations import HOSTILE

from thaw.drift import words
from thaw.drift.page import render_drift
from thaw.drift.record import Point

HISTORY = (Point(1, 120, 0.4, 0.05), Point(2, 12, None, 0.1), Point(3, 120, 0.002, 0.4))


def test_names_are_escaped_and_nothing_is_asked_for() -> None:
    known = renamed(reference(), (HOSTILE, "$2^2$", "蜂"))
    page = render_drift(report(batch(270, 120, blur=True), known=known), HISTORY)
    assert HOSTILE not in page
    assert "default-src 'none'" in page and "<script" not in page
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)""", page)
    assert page.count("<svg") == 5 and "Next steps:" in page


def test_without_drift_there_is_nothing_to_do() -> None:
    page = render_drift(report(batch(270, 120)), HISTORY[:1])
    assert "No drift was found" in page and "Next steps:" not in page


def test_too_few_images_have_a_page_too() -> None:
    new = batch(270, 120)
    page = render_drift(report(new.rows(np.arange(120) < 5)), HISTORY[1:2])
    assert "There are too few examples to tell: 5 new examples" in page and 'id="tests"' not in page
    page = render_drift(report(new.rows(np.arange(120) < 0)), ())
    assert "There are too few examples to tell: 0 new examples" in page and "<svg" not in page


@pytest.mark.parametrize(
    ("value", "said"), [(0.5, "0.5"), (0.03127, "0.031"), (0.00049, "0.00049"), (1e-7, "<\u00a00.0001")]
)
def test_p_values(value: float, said: str) -> None:
    assert words.p(value) == said


def test_the_rate_of_false_alarms_is_stated() -> None:
    (first, *_) = words.remarks(report(batch(270, 120)))
    assert "at most 5\u202f% of the batches" in first and "4 tests, p-values by Holm" in first
