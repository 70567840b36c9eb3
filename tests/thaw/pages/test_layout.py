"""What pages share."""

from thaw.foundation.statistics.bootstrap import Estimate
from thaw.pages.layout import coded, percent, points


def test_what_stands_between_backticks_is_code_and_all_is_escaped() -> None:
    assert coded("run `a<b` & go") == "run <code>a&lt;b</code> &amp; go"
    assert coded("plain") == "plain"


def test_numbers_in_words() -> None:
    assert percent(0.9312) == "93.1\u202f%" and percent(0.5) == "50\u202f%"
    assert points(Estimate(0.052, -0.01, 0.063)) == "+5.2 points (-1.0 to +6.3)"
