"""Zero-shot in the advice: the texts are class means of other handwriting, which stand for a good text tower, or noise, which stands for a bad one."""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from advised import DIGITS, HEAD, ONCE, WORDS, handwriting, situation_of

from thaw.foundation.errors import BadParameters
from thaw.heads.logistic import LogisticModel
from thaw.heads.standardisation import Standardisation
from thaw.params.sections import StrategyParams
from thaw.strategies.advice.advising import advise
from thaw.strategies.advice.curve_words import prospects
from thaw.strategies.advice.page import figure_pngs, render_advice
from thaw.strategies.advice.pool import Pool
from thaw.strategies.advice.record import Advice
from thaw.strategies.advice.zero_shot import Texts

PIXELS, TARGETS = handwriting(60)
OTHERS = torch.arange(len(TARGETS)) % 60 >= 12
MEANS = torch.stack([PIXELS[OTHERS & (number == TARGETS)].mean(0) for number in range(10)])
CENTRE = MEANS.mean(0)
NOISE = torch.randn(10, 64, generator=torch.Generator().manual_seed(0))


def texts_of(vectors: torch.Tensor, bias: float = 0.0) -> Texts:
    whole = Standardisation(torch.zeros(64), torch.ones(64), math.inf)
    return Texts(LogisticModel(whole, 20 * F.normalize(vectors, dim=1), torch.full((10,), bias)), "late", DIGITS)


def advised(
    a_class: int, vectors: torch.Tensor, *, sets: bool = False, kind: str = "auto", bias: float = 0.0
) -> Advice:
    """The advice with that number of labels a class; sets: each row shows its digit alone."""
    rows = torch.cat([((number == TARGETS) & ~OTHERS).nonzero().flatten()[:a_class] for number in range(10)])
    targets = F.one_hot(TARGETS[rows], 10).bool() if sets else TARGETS[rows]
    features = F.normalize(PIXELS[rows] - CENTRE, dim=1)
    pool = Pool({"early": features[:, :8].contiguous(), "late": features}, targets, DIGITS)
    situation = replace(situation_of(pool), texts=texts_of(vectors, bias))
    return advise(situation, StrategyParams.model_validate({**ONCE.model_dump(), "kind": kind}), HEAD)


@pytest.fixture(scope="module")
def few() -> Advice:
    return advised(5, MEANS - CENTRE)


def test_the_curve_begins_with_it_and_says_how_many_labels_it_is_worth(few: Advice) -> None:
    (option,) = [each for each in few.options if each.strategy.kind == "zero_shot"]
    assert few.curve is not None and few.curve.unlearnt is not None and option.accuracy is not None
    assert few.curve.unlearnt.labels == 0 and few.curve.unlearnt.accuracy == option.accuracy
    assert option.accuracy.value > 0.8 and option.rows == 50 and option.gain is not None
    (begun, *_) = prospects(few, WORDS)
    assert begun.startswith("Without any label, the names of the classes reach")
    page = render_advice(few, "digits", WORDS)
    assert begun in page and "zero-shot" in page and 'id="texts"' in page
    assert [name for name, _ in figure_pngs(few, WORDS)] == ["depth", "curve"]


def test_more_labels_make_it_worth_a_number(few: Advice) -> None:
    more = advised(12, NOISE)
    assert more.curve is not None and more.curve.worth == more.curve.points[0].labels
    assert "reaches as much with" in prospects(more, WORDS)[0]
    assert more.followed.strategy.kind != "zero_shot"


@pytest.mark.parametrize(("vectors", "followed"), [(MEANS - CENTRE, "zero_shot"), (NOISE, "linear")])
def test_with_one_label_a_class_it_is_judged_on_all_and_taken_if_it_beats_the_constant_answer(
    vectors: torch.Tensor, followed: str
) -> None:
    advice = advised(1, vectors)
    (option,) = [each for each in advice.options if each.strategy.kind == "zero_shot"]
    assert option.accuracy is not None and option.rows == 10 and option.gain is None
    assert advice.followed.strategy.kind == followed
    assert ("learns from none" in advice.followed.reason) == (followed == "zero_shot")


def test_label_sets_are_named_by_a_bias_without_labels_and_by_tuned_thresholds_with_them() -> None:
    advice = advised(5, MEANS - CENTRE, sets=True, bias=-8.0)
    assert advice.curve is not None and advice.curve.unlearnt is not None
    (option,) = [each for each in advice.options if each.strategy.kind == "zero_shot"]
    assert option.accuracy is not None and option.accuracy.value > 0.6
    assert advice.curve.unlearnt.accuracy.value > 0.5
    unbiased = advised(5, MEANS - CENTRE, sets=True)
    assert unbiased.curve is not None and unbiased.curve.unlearnt is not None
    assert unbiased.curve.unlearnt.accuracy.value < advice.curve.unlearnt.accuracy.value


def test_it_is_followed_where_the_parameters_ask_and_refused_without_a_text_tower() -> None:
    assert advised(2, NOISE, kind="zero_shot").followed.strategy.kind == "zero_shot"
    pixels, targets = handwriting(2)
    pool = Pool({"late": pixels}, targets, DIGITS)
    asked = StrategyParams.model_validate({**ONCE.model_dump(), "kind": "zero_shot"})
    with pytest.raises(BadParameters, match="zero_shot needs a backbone with a text tower"):
        advise(situation_of(pool), asked, HEAD)
