"""The gates that need no champion: leakage, near-copies, suspect labels, budgets, parity."""

from pathlib import Path

import pytest

from thaw.evaluation.checks import Checks, Leakage, NearCopies, Suspects
from thaw.foundation.errors import BadArtifact
from thaw.gates.budgets import batch_latency, latency, size
from thaw.gates.leakage import leakage
from thaw.gates.near_copies import near_copies
from thaw.gates.outcome import Outcome, Verdict
from thaw.gates.parity import parity, read_parity
from thaw.gates.suspects import suspect_labels
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
    assert refused.refuses and "20 of 200 test images" in refused.words and "`thaw review`" in refused.words
    assert suspect_labels(CHECKS, 0.2).verdict is Verdict.PASS
    assert suspect_labels(CHECKS, 0.1).refuses


def test_each_budget_is_held_for_itself() -> None:
    assert [one(COST, BUDGETS).verdict for one in (latency, batch_latency, size)] == ["pass", "fail", "pass"]
    assert (
        "1.5 ms for each image of a batch of 32; promotion.max_batch_latency_ms allows 1"
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


PARITY = '{"rows": 60, "pixels": {"labels_equal": 1.0, "largest_difference": 0.001}, "exported": %s}'


@pytest.mark.parametrize(
    ("exported", "verdict", "refuses"),
    [
        ('{"labels_equal": 1.0, "largest_difference": 0.009}', "pass", False),
        ('{"labels_equal": 0.9, "largest_difference": 0.02}', "fail", True),
        ('{"labels_equal": 1.0, "largest_difference": NaN}', "fail", True),
        ("null", "can't tell", True),
    ],
)
def test_parity_holds_every_way_to_the_tolerance(tmp_path: Path, exported: str, verdict: str, refuses: bool) -> None:
    (file := tmp_path / "parity.json").write_text(PARITY % exported)
    outcome = parity(read_parity(file), 0.01)
    assert (outcome.verdict, outcome.refuses) == (verdict, refuses) and "on 60 test images" in outcome.words


def test_a_fine_tuned_model_has_no_cached_features_to_compare_with(tmp_path: Path) -> None:
    agreement = '{"labels_equal": 1.0, "largest_difference": 0.001}'
    (file := tmp_path / "parity.json").write_text(f'{{"rows": 60, "pixels": null, "exported": {agreement}}}')
    assert parity(read_parity(file), 0.01).verdict == "pass"
    file.write_text('{"rows": 60, "pixels": null, "exported": null, "reason": "it loops"}')
    outcome = parity(read_parity(file), 0.01)
    assert outcome.refuses and "not compared: the exported model (it loops)" in outcome.words


def test_parity_that_is_damaged_is_named(tmp_path: Path) -> None:
    (file := tmp_path / "parity.json").write_text('{"rows": "many"}')
    with pytest.raises(BadArtifact, match=r"parity.json holds no parity"):
        read_parity(file)
