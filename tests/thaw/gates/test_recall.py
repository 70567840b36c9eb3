"""The gate `recall`."""

import pytest
from registration import predictions

from thaw.gates.outcome import Outcome, Verdict
from thaw.gates.pairing import pair
from thaw.gates.recall import losses, recall
from thaw.params.sections import PromotionParams

PARAMS = PromotionParams()


def found(labels: list[str], before: list[str], after: list[str], params: PromotionParams = PARAMS) -> Outcome:
    paired = pair(predictions(labels, before), predictions(labels, after))
    assert paired is not None
    return recall(paired, params)


def test_a_class_that_is_lost_refuses_although_the_others_gain() -> None:
    labels = ["ant"] * 300 + ["bee"] * 40
    before = ["bee"] * 40 + ["ant"] * 260 + ["bee"] * 40
    after = ["ant"] * 300 + ["ant"] * 20 + ["bee"] * 20
    outcome = found(labels, before, after)
    assert outcome.verdict is Verdict.FAIL and outcome.refuses
    assert "lost by bee (-0.500, " in outcome.words and "40 rows" in outcome.words and "ant" not in outcome.words


def test_a_small_class_cannot_tell_and_refuses_nothing() -> None:
    labels = ["ant"] * 300 + ["bee"] * 4
    outcome = found(labels, labels, ["ant"] * 300 + ["ant", "bee", "bee", "bee"])
    assert (outcome.verdict, outcome.refuses) == (Verdict.CANNOT_TELL, False)
    assert "1 of 2 classes have too few rows" in outcome.words and "bee (-0.250, " in outcome.words


def test_many_rows_that_agree_pass() -> None:
    labels = ["ant"] * 150 + ["bee"] * 150
    outcome = found(labels, labels, labels)
    assert outcome.verdict is Verdict.PASS and "+0.000" in outcome.words and "-0.000 (" not in outcome.words


def test_more_classes_need_more_to_be_shown() -> None:
    few = ["ant"] * 40 + ["bee"] * 40
    wrong = ["bee"] * 10 + ["ant"] * 30
    many = few + [f"class {number}" for number in range(50) for _ in range(2)]

    def loss(labels: list[str]) -> float:
        paired = pair(predictions(labels, labels), predictions(labels, wrong + labels[40:]))
        assert paired is not None
        (ant,) = (one for one in losses(paired, 0.95) if one.name == "ant")
        return ant.loss.low

    assert loss(many) < loss(few)


def test_it_is_not_asked_where_the_parameter_is_null() -> None:
    outcome = found(["ant"], ["ant"], ["ant"], PARAMS.model_copy(update={"max_recall_loss": None}))
    assert outcome.verdict is Verdict.NOT_ASKED and "promotion.max_recall_loss" in outcome.words


def test_names_that_are_out_for_harm_are_shown_as_signs() -> None:
    labels = ["a\u202eb"] * 80 + ["ok"] * 80
    outcome = found(labels, labels, ["ok"] * 160)
    assert outcome.verdict is Verdict.FAIL and "\u202e" not in outcome.words


@pytest.mark.parametrize("allowed", [0.0, 0.6])
def test_what_is_allowed_is_the_parameters_to_say(allowed: float) -> None:
    labels = ["ant"] * 100 + ["bee"] * 100
    outcome = found(labels, labels, ["bee"] * 30 + labels[30:], PARAMS.model_copy(update={"max_recall_loss": allowed}))
    assert outcome.refuses is (allowed == 0)
