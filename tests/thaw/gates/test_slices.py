"""The gate `slices`."""

import pytest
from registration import predictions

from thaw.dataset.slices import Slices
from thaw.gates.outcome import Outcome, Verdict
from thaw.gates.pairing import pair
from thaw.gates.slices import slices
from thaw.params.sections import PromotionParams

PARAMS = PromotionParams()
LABELS = ["ant", "bee"] * 150


def found(before: list[str], after: list[str], sites: list[str | None], params: PromotionParams = PARAMS) -> Outcome:
    champion, challenger = predictions(LABELS, before), predictions(LABELS, after)
    paired = pair(champion, challenger)
    assert paired is not None
    return slices(paired, Slices(("site",), challenger.digests, challenger.paths, (tuple(sites),)), params)


def wrong(labels: list[str], rows: range) -> list[str]:
    return [{"ant": "bee", "bee": "ant"}[label] if row in rows else label for row, label in enumerate(labels)]


def test_a_site_that_loses_refuses_although_the_others_gain() -> None:
    sites: list[str | None] = ["north"] * 240 + ["south"] * 60
    outcome = found(wrong(LABELS, range(60)), wrong(LABELS, range(240, 280)), sites)
    assert outcome.verdict is Verdict.FAIL and outcome.refuses
    assert "lost by site south (-0.667, " in outcome.words and "60 rows" in outcome.words
    assert "north" not in outcome.words


def test_few_rows_cannot_tell_and_rows_of_no_site_are_no_site() -> None:
    sites: list[str | None] = ["north"] * 200 + ["south"] * 4 + [None] * 96
    outcome = found(LABELS, wrong(LABELS, range(200, 201)), sites)
    assert (outcome.verdict, outcome.refuses) == (Verdict.CANNOT_TELL, False)
    assert "1 of 2 slices have too few rows" in outcome.words and "site south (-0.250, " in outcome.words


def test_models_that_agree_pass() -> None:
    outcome = found(LABELS, LABELS, ["north"] * 150 + ["south"] * 150)
    assert outcome.verdict is Verdict.PASS and outcome.figures["worst"] == 0


@pytest.mark.parametrize("named", [True, False])
def test_it_is_not_asked(named: bool) -> None:
    paired = pair(predictions(LABELS, LABELS), predictions(LABELS, LABELS))
    assert paired is not None
    params = PARAMS.model_copy(update={"max_slice_loss": None}) if named else PARAMS
    outcome = slices(paired, None, params)
    assert outcome.verdict is Verdict.NOT_ASKED
    assert ("max_slice_loss" if named else "dataset.slices") in outcome.words
