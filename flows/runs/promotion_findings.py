"""The check of the promotion before a run: the margin, against the loss that the test will resolve."""

from pathlib import Path

from flows.runs.findings import Finding, Verdict
from flows.runs.results import read_results
from thaw.foundation.errors import ThawError
from thaw.gates.margin import margin_of, resolvable, rows_for
from thaw.params.sections import Params

CHECK = "promotion.margin"
_UNMEASURED = 0.1
"""The share of wrong test rows that is supposed until a model has been measured."""


def wrong_share(root: Path) -> float:
    """The share of test rows that the last model had wrong, rounded to 2 digits; without one, a supposed share."""
    try:
        right = read_results(root).right
    except ThawError:  # told where the results are read
        return _UNMEASURED
    return _UNMEASURED if right is None else round(1 - right.value, 2)


def check_margin(params: Params, rows: int, wrong: float) -> Finding:
    """Check that two equal models would pass `not_worse`.

    Args:
        params: `promotion` and `statistics` are used.
        rows: of the test, as far as it is known before the ingestion.
        wrong: the share of these that a model has wrong.
    """
    promotion, confidence = params.promotion, params.statistics.confidence
    if promotion.rule != "not_worse":
        return Finding(CHECK, Verdict.PASS, f"the rule `{promotion.rule}` asks for a gain")
    if rows < promotion.min_rows:
        return Finding(
            CHECK,
            Verdict.WARN,
            f"the test will have about {rows} rows, and promotion.min_rows asks for {promotion.min_rows}, so no challenger can follow the first champion",
            "add test rows, or lower promotion.min_rows",
        )
    margin, least = margin_of(promotion, rows, wrong, confidence), resolvable(rows, wrong, confidence)
    if margin < least:
        return Finding(
            CHECK,
            Verdict.WARN,
            f"a margin of {_points(margin)} is less than about {rows} test rows resolve ({_points(least)}), so an equal model will be refused",
            f"about {rows_for(margin, wrong, confidence):,} test rows would do; or `thaw config set promotion.margin=null`, and the margin follows the test"
            if margin > 0
            else "no number of rows rules out every loss: `thaw config set promotion.margin=null`, and the margin follows the test",
        )
    source = "follows the test" if promotion.margin is None else "is stated"
    return Finding(CHECK, Verdict.PASS, f"{_points(margin)} on about {rows} test rows; it {source}")


def _points(share: float) -> str:
    return f"{100 * share:.1f} points"
