"""Promotion of models that name label sets."""

from dataclasses import replace

import numpy as np
import pytest
from registration import CLEAN
from registration import predictions as single_predictions
from sklearn.metrics import f1_score

from thaw.foundation.statistics.bootstrap import Resampling
from thaw.gates import deciding
from thaw.gates.deciding import Decision, Evidence
from thaw.gates.outcome import Verdict
from thaw.gates.pairing import Predictions
from thaw.params.sections import PromotionParams

PARAMS = PromotionParams()
NAMES = ("ant", "bee", "wasp")


def decide(champion: Predictions | None, challenger: Predictions, params: PromotionParams) -> Decision:
    return deciding.decide(Evidence(champion, challenger, replace(CLEAN, suspects=None)), params, Resampling(200))


def said(wrong: float, seed: int = 0, names: tuple[str, ...] = NAMES) -> Predictions:
    """Predictions of 200 rows, with a share of wrong decisions."""
    targets = np.random.default_rng(0).random((200, 3)) < 0.4
    named = targets ^ (np.random.default_rng(seed).random((200, 3)) < wrong)
    return Predictions(
        names,
        tuple(number.to_bytes(32, "big") for number in range(200)),
        tuple(f"{number}.png" for number in range(200)),
        targets,
        named.astype(np.float32),
        named,
    )


def test_the_better_one_is_promoted_and_the_worse_one_is_not() -> None:
    good, bad = said(0.05, 1), said(0.3, 2)
    better = decide(bad, good, PARAMS.model_copy(update={"rule": "better"}))
    assert better.promote
    assert better.figures is not None
    gain = f1_score(good.targets, good.named, average="macro") - f1_score(bad.targets, bad.named, average="macro")
    assert better.figures.f1_gain == pytest.approx(gain)
    assert better.figures.challenger_accuracy == pytest.approx((good.named == good.targets).all(1).mean())
    assert "exact match" in better.reason
    assert not decide(good, bad, PARAMS).promote
    assert decide(good, good, PARAMS).promote
    assert not decide(good, good, PARAMS.model_copy(update={"rule": "better"})).promote


def test_a_first_version_few_rows_and_other_classes() -> None:
    good = said(0.05)
    assert decide(None, good, PARAMS).promote
    few = Predictions(NAMES, good.digests[:5], good.paths[:5], good.targets[:5], good.probabilities[:5], good.named[:5])
    assert "only 5 test rows are common" in decide(few, good, PARAMS).reason
    renamed = replace(good, class_names=("ant", "bee", "zebra"))
    figures = decide(renamed, good, PARAMS).figures
    assert figures is not None
    assert figures.f1_gain > 0.2, "the champion never names wasp, and names zebra where there is none"


def test_one_kind_is_never_compared_with_the_other() -> None:
    single = single_predictions(["ant", "bee"] * 30, ["ant", "bee"] * 30)
    for champion, challenger in ((single, said(0)), (said(0), single)):
        decision = decide(champion, challenger, PARAMS)
        assert not decision.promote
        assert "registry.name" in decision.reason
    assert decide(single, single, PARAMS).promote
    assert decide(None, single, PARAMS).promote


def test_what_an_older_version_did_not_measure_of_sets_is_not_asked_and_recall_is() -> None:
    asked = PARAMS.model_copy(update={"max_suspects": 0.1})
    found = {one.gate: one for one in decide(said(0.05, 1), said(0.05, 1), asked).outcomes}
    assert found["suspect labels"].verdict is Verdict.NOT_ASKED
    assert "was not measured on sets" in found["suspect labels"].words
    assert found["recall"].verdict is Verdict.PASS
    blind = replace(said(0.05, 1), decided=said(0.05, 1).named & np.array([True, True, False]))
    lost = next(one for one in decide(said(0.05, 1), blind, PARAMS).outcomes if one.gate == "recall")
    assert lost.refuses and "wasp" in lost.words and "ant" not in lost.words
