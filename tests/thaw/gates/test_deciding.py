"""The decision of all gates, and the rule of the paired test."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from registration import CLEAN, predictions

from thaw.foundation.statistics.bootstrap import Resampling
from thaw.gates import deciding
from thaw.gates.deciding import Decision, Evidence
from thaw.gates.outcome import Verdict
from thaw.gates.wear import Judgement
from thaw.params.sections import PromotionParams
from thaw.targets.predictions import Predictions

PARAMS = PromotionParams()
BETTER = PARAMS.model_copy(update={"rule": "better"})
LABELS = ["ant", "bee"] * 50


def decide(champion: Predictions | None, challenger: Predictions, params: PromotionParams) -> Decision:
    """On a challenger that nothing else is held against, and without the gates that stand beside the paired test."""
    alone = params.model_copy(update={"max_recall_loss": None, "max_calibration_loss": None})
    return deciding.decide(Evidence(champion, challenger, CLEAN), alone, Resampling(200))


def with_mistakes(*wrong: int) -> Predictions:
    """On 100 rows, right but for the rows given."""
    other = {"ant": "bee", "bee": "ant"}
    return predictions(LABELS, [other[label] if row in wrong else label for row, label in enumerate(LABELS)])


def taken(found: Predictions, rows: list[int]) -> Predictions:
    """Some rows, in that order."""
    return replace(
        found,
        digests=tuple(found.digests[row] for row in rows),
        paths=tuple(found.paths[row] for row in rows),
        targets=found.targets[rows],
        probabilities=found.probabilities[rows],
    )


@pytest.mark.parametrize("params", [PARAMS, BETTER])
def test_the_first_version_is_promoted(params: PromotionParams) -> None:
    decision = decide(None, with_mistakes(*range(50)), params)
    assert decision.promote and "no champion yet" in decision.reason and decision.figures is None


def test_the_same_predictions_are_not_worse_but_not_better() -> None:
    same = with_mistakes(1, 2, 3)
    assert decide(same, same, PARAMS).promote
    refused = decide(same, same, BETTER)
    assert not refused.promote and "not shown to be better" in refused.reason


@pytest.mark.parametrize("params", [PARAMS, BETTER])
def test_a_clear_gain_is_promoted_and_a_clear_loss_refused(params: PromotionParams) -> None:
    good, bad = with_mistakes(0), with_mistakes(*range(30))
    assert decide(bad, good, params).promote
    assert not decide(good, bad, params).promote


def test_a_loss_within_the_margin_is_promoted_and_beyond_it_refused() -> None:
    champion, challenger = with_mistakes(), with_mistakes(0)
    assert not decide(champion, challenger, PARAMS.model_copy(update={"margin": 0.01})).promote
    assert decide(champion, challenger, PARAMS.model_copy(update={"margin": 0.2})).promote


def test_no_margin_lets_a_challenger_pass_that_mcnemar_finds_worse() -> None:
    generous = PARAMS.model_copy(update={"margin": 0.9})
    decision = decide(with_mistakes(), with_mistakes(*range(20)), generous)
    assert not decision.promote and "is worse" in decision.reason


def test_the_figures_are_those_of_the_rows_in_common() -> None:
    decision = decide(with_mistakes(0, 1, 2), taken(with_mistakes(2, 3), list(range(40))), PARAMS)
    figures = decision.figures
    assert figures is not None
    assert (figures.rows, figures.only_challenger, figures.only_champion) == (40, 2, 1)
    assert figures.champion_accuracy == pytest.approx(37 / 40)
    assert figures.challenger_accuracy == pytest.approx(38 / 40)
    assert figures.mcnemar_p == 1
    assert figures.f1_low <= figures.f1_gain <= figures.f1_high
    assert "40 test rows" in decision.reason and "0.950 against 0.925" in decision.reason


@pytest.mark.parametrize(
    ("rows", "said"), [(29, "only 29 test rows"), (1, "only 1 test row is"), (0, "no test row is")]
)
def test_too_few_rows_in_common_promote_nothing(rows: int, said: str) -> None:
    decision = decide(with_mistakes(*range(50)), taken(with_mistakes(), list(range(rows))), PARAMS)
    assert not decision.promote and said in decision.reason and "min_rows" in decision.reason
    assert decision.figures is None


def test_a_relabelled_row_takes_the_challengers_label() -> None:
    before = predictions(["ant"] * 40, ["ant"] * 40)
    after = predictions(["bee"] * 40, ["bee"] * 40)
    figures = decide(before, after, PARAMS).figures
    assert figures is not None and (figures.champion_accuracy, figures.challenger_accuracy) == (0, 1)


def test_a_class_that_the_champion_does_not_know_counts_against_it() -> None:
    before = predictions(["ant"] * 40, ["ant"] * 40)
    after = predictions(["ant"] * 20 + ["wasp"] * 20, ["ant"] * 20 + ["wasp"] * 20)
    figures = decide(before, after, PARAMS).figures
    assert figures is not None and figures.champion_accuracy == 0.5 and figures.only_challenger == 20


def test_an_image_that_lies_in_the_test_twice_counts_once() -> None:
    doubled = taken(with_mistakes(0), [*range(100), *range(100)])
    assert decide(doubled, doubled, PARAMS) == decide(with_mistakes(0), with_mistakes(0), PARAMS)


@settings(max_examples=40)
@given(data=st.data())
def test_it_does_not_matter_in_which_order_the_champions_rows_stand(data: st.DataObject) -> None:
    mistakes = st.sets(st.integers(0, 99), max_size=40)
    champion, challenger = (with_mistakes(*data.draw(mistakes)) for _ in range(2))
    order = data.draw(st.permutations(range(100)))
    assert decide(taken(champion, order), challenger, PARAMS) == decide(champion, challenger, PARAMS)


@settings(max_examples=60)
@given(
    st.sets(st.integers(0, 99)),
    st.sets(st.integers(0, 99)),
    st.sampled_from(["better", "not_worse"]),
    st.floats(0, 0.5),
)
def test_what_is_promoted_keeps_the_rule(first: set[int], second: set[int], rule: str, margin: float) -> None:
    params = PARAMS.model_copy(update={"rule": rule, "margin": margin})
    decision = decide(with_mistakes(*first), with_mistakes(*second), params)
    figures = decision.figures
    assert figures is not None
    assert figures.only_challenger - figures.only_champion == len(first) - len(second)
    if decision.promote:
        assert figures.f1_low > (0 if rule == "better" else -margin)
        assert not (figures.mcnemar_p < 0.05 and figures.only_champion > figures.only_challenger)
    if rule == "better" and decision.promote:
        assert decide(
            with_mistakes(*first), with_mistakes(*second), params.model_copy(update={"rule": "not_worse"})
        ).promote
    assert np.isfinite([figures.f1_low, figures.f1_high, figures.mcnemar_p]).all()


def test_every_gate_is_asked_and_any_of_them_refuses() -> None:
    same = with_mistakes(1)
    clean = deciding.decide(Evidence(same, same, CLEAN), PARAMS)
    assert [one.gate for one in clean.outcomes] == [
        "test rows", "paired test", "anchor", "recall", "slices", "calibration", "leakage", "near-copies", "suspect labels",
        "latency", "batch latency", "size", "parity",
    ]  # fmt: skip
    assert clean.promote and clean.reason.startswith("the challenger is not worse")
    dirty = replace(CLEAN, leakage=replace(CLEAN.leakage, copies=3))
    refused = deciding.decide(Evidence(same, same, dirty), PARAMS)
    assert not refused.promote and refused.reason.startswith("of 40 training examples, 3 are in val or test")
    both = deciding.decide(Evidence(same, with_mistakes(*range(40)), dirty), PARAMS)
    assert "is worse" in both.reason and "3 are in val" in both.reason, "every gate that refuses is named"


def test_the_first_version_must_pass_what_needs_no_champion() -> None:
    same = with_mistakes(1)
    found = deciding.decide(Evidence(None, same), PARAMS)
    assert not found.promote and "has no report/checks.json" in found.reason
    allowed = PARAMS.model_copy(update={"max_leaked": None, "max_near_copies": None, "max_suspects": None})
    assert deciding.decide(Evidence(None, same), allowed).promote
    verdicts = {one.verdict for one in deciding.decide(Evidence(None, same), allowed).outcomes}
    assert verdicts == {Verdict.NOT_ASKED}


def test_too_few_rows_are_one_reason_and_what_they_hide_is_said() -> None:
    found = deciding.decide(Evidence(with_mistakes(), taken(with_mistakes(), [1, 2]), CLEAN), PARAMS)
    assert [one.gate for one in found.outcomes if one.refuses] == ["test rows"]
    assert [one.verdict for one in found.outcomes[1:4]] == [Verdict.CANNOT_TELL] * 3


def test_what_the_paired_test_cannot_tell_refuses() -> None:
    strict = PARAMS.model_copy(update={"margin": 0.01})
    decision = deciding.decide(Evidence(with_mistakes(), with_mistakes(0), CLEAN), strict)
    assert [(outcome.gate, outcome.title) for outcome in decision.refusing] == [
        ("paired test", "can't tell, refuses"),
        ("anchor", "can't tell, refuses"),
    ]
    assert decision.short == (
        "the challenger may be worse by more than 0.01; the challenger may be worse than the best champion so far by more than 0.01 "
        "(0.990 against 1.000 on 100 test rows)"
    )


def test_equal_models_on_a_small_test_set_are_promoted_by_a_margin_that_is_stated() -> None:
    """0.99 against 0.99, each alone right on 1 of 100."""
    decision = decide(with_mistakes(0), with_mistakes(1), PARAMS)
    assert decision.promote and decision.comparison is not None
    margin = decision.comparison.margin
    assert decision.reason.startswith(f"the challenger is not worse by more than {margin:.3g}: ")
    assert not decide(with_mistakes(0), with_mistakes(1), PARAMS.model_copy(update={"margin": 0.01})).promote


def test_a_margin_that_is_null_does_not_promote_a_worse_model() -> None:
    assert not decide(with_mistakes(), with_mistakes(*range(6)), PARAMS).promote


@pytest.mark.parametrize("params", [PARAMS, BETTER])
def test_worn_rows_ask_for_more(params: PromotionParams) -> None:
    """A gain that decides on fresh rows does not on rows that have judged a hundred challengers."""
    champion, challenger = with_mistakes(*range(12)), with_mistakes()
    alone = params.model_copy(update={"max_recall_loss": None, "max_calibration_loss": None})
    fresh, worn = (
        deciding.decide(Evidence(champion, challenger, CLEAN, earlier=(Judgement(100),) * count), alone)
        for count in (0, 100)
    )
    assert fresh.comparison is not None and worn.comparison is not None
    assert fresh.comparison.better and not worn.comparison.better
    assert worn.promote == (params.rule == "not_worse")
    assert worn.comparison.wear.judged == 100 and worn.comparison.judgements_left == 0


def test_many_small_losses_do_not_add_up() -> None:
    """Every challenger is 1 row worse than the champion before: the anchor ends that."""
    best = with_mistakes()
    lost = next(
        count
        for count in range(100)
        if not decide_against(best, with_mistakes(*range(count)), with_mistakes(*range(count + 1))).promote
    )
    assert lost < 5
    assert decide(with_mistakes(*range(lost)), with_mistakes(*range(lost + 1)), PARAMS).promote, (
        "the champion alone does not"
    )


def decide_against(anchor: Predictions, champion: Predictions, challenger: Predictions) -> Decision:
    alone = PARAMS.model_copy(update={"max_recall_loss": None, "max_calibration_loss": None})
    return deciding.decide(Evidence(champion, challenger, CLEAN, anchor=anchor), alone, Resampling(200))


def test_a_challenger_that_is_better_than_the_anchor_leads_and_an_anchor_of_other_rows_is_left() -> None:
    worst, best = with_mistakes(*range(30)), with_mistakes()
    comparison = decide_against(worst, worst, best).comparison
    assert comparison is not None and comparison.leads and comparison.anchored
    other = taken(worst, list(range(5)))
    comparison = decide_against(other, worst, best).comparison
    assert comparison is not None and not comparison.anchored, "5 rows are fewer than promotion.min_rows"


def test_a_challenger_that_learnt_from_shuffled_labels_is_refused() -> None:
    shuffled = np.random.default_rng(0).permutation(LABELS).tolist()
    assert not decide(with_mistakes(0, 1), predictions(LABELS, shuffled), PARAMS).promote
