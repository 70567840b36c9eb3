"""The gates of one measured value: leakage, near-copies, suspect labels, budgets."""

import pytest

from thaw.evaluation.checks import Checks, Leakage, NearCopies, Suspects
from thaw.gates.measured import batch_latency, latency, leakage, near_copies, size, suspect_labels
from thaw.gates.outcome import Outcome, Verdict
from thaw.gates.parity import parity
from thaw.models.serving_cost import ServingCost
from thaw.params.sections import PromotionParams

COST = ServingCost(single_ms=4.0, batch_ms=1.5, batch=32, megabytes=45.0, threads=2)
CHECKS = Checks(Leakage(50, 0, 0), NearCopies(200, 20), Suspects(50, 10))
BUDGETS = PromotionParams(max_latency_ms=4, max_batch_latency_ms=1, max_megabytes=50)


def test_an_image_that_is_also_in_the_test_refuses_by_content_or_by_group() -> None:
    assert leakage(Leakage(50, 0, 0), 0).verdict is Verdict.PASS
    assert leakage(Leakage(50, 1, 0), 0).refuses and leakage(Leakage(50, 0, 1), 0).refuses
    assert not leakage(Leakage(50, 1, 1), 2).refuses


def test_shares_that_are_allowed_pass_and_larger_ones_refuse() -> None:
    assert near_copies(CHECKS.near_copies, 0.1).verdict is Verdict.PASS
    refused = near_copies(CHECKS.near_copies, 0.09)
    assert refused.refuses and "20 of 200 test examples" in refused.words and "`thaw review`" in refused.words
    assert suspect_labels(CHECKS, 0.2).verdict is Verdict.PASS
    assert suspect_labels(CHECKS, 0.1).refuses


def test_each_budget_is_held_for_itself() -> None:
    assert [one(COST, BUDGETS).verdict for one in (latency, batch_latency, size)] == ["pass", "fail", "pass"]
    assert (
        "1.5 ms for each example of a batch of 32; promotion.max_batch_latency_ms allows 1"
        in batch_latency(COST, BUDGETS).words
    )


@pytest.mark.parametrize(
    "outcome",
    [
        leakage(None, 0), near_copies(None, 0.1), suspect_labels(None, 0.1), latency(None, BUDGETS), size(None, BUDGETS),
        batch_latency(None, BUDGETS), parity(None, 0.1),
    ],
)  # fmt: skip
def test_what_is_asked_for_and_was_not_measured_cannot_tell_and_refuses(outcome: Outcome) -> None:
    assert (outcome.verdict, outcome.refuses) == (Verdict.CANNOT_TELL, True)
    assert "the version's run has no report/" in outcome.words and "`thaw run`" in outcome.words


@pytest.mark.parametrize(
    "outcome",
    [
        leakage(None, None), near_copies(None, None), suspect_labels(None, None), latency(COST, PromotionParams()),
        batch_latency(COST, PromotionParams()), size(COST, PromotionParams()), parity(None, None),
    ],
)  # fmt: skip
def test_what_is_not_asked_for_refuses_nothing(outcome: Outcome) -> None:
    assert (outcome.verdict, outcome.refuses) == (Verdict.NOT_ASKED, False) and "is not set" in outcome.words
