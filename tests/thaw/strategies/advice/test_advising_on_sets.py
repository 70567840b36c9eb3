"""The advice on label sets: pictures of two digits, judged by macro F1."""

import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from advised import HEAD, ONCE, WORDS, situation_of
from digit_pairs import NAMES, pair_pictures
from sklearn.metrics import f1_score

from thaw.foundation.statistics.bootstrap import Resampling
from thaw.heads.fitted import Setting
from thaw.heads.kinds import fit_one
from thaw.params.values.strategy import Strategy
from thaw.strategies.advice import words
from thaw.strategies.advice.advising import advise
from thaw.strategies.advice.intervals import gain_of, headline_of
from thaw.strategies.advice.out_of_fold import measure_learner
from thaw.strategies.advice.page import figure_pngs, render_advice
from thaw.strategies.advice.pool import Fold, Pool, draw_folds
from thaw.strategies.advice.record import Advice
from thaw.strategies.advice.size import measure_size
from thaw.strategies.advice.transferability import log_me, neighbour_headline


def pairs(count: int) -> Pool:
    """Raw pixels, and four numbers that are left of them where both halves are laid over each other, as two cut layers."""
    pictures, shown = pair_pictures(count)
    pixels = torch.from_numpy(pictures[:, 4:12].reshape(count, 8, 2, 8)).float().transpose(1, 2) / 255
    return Pool(
        {"early": pixels.flatten(1), "late": F.avg_pool2d(pixels.mean(1), 4).flatten(1)}, torch.from_numpy(shown), NAMES
    )


@pytest.fixture(scope="module")
def pool() -> Pool:
    return pairs(240)


@pytest.fixture(scope="module")
def advice(pool: Pool) -> Advice:
    references = Pool({**pool.features, "pixels": pool.features["early"]}, pool.targets, pool.class_names)
    return advise(situation_of(pool, references=references), ONCE, HEAD)


def test_an_earlier_layer_is_followed_where_its_macro_f1_is_higher_beyond_the_interval(advice: Advice) -> None:
    assert advice.target == "label_sets" and advice.case.similarity == "different"
    assert advice.followed.strategy == Strategy("cut", "early") and advice.automatic
    assert {str(option.strategy) for option in advice.options} == {"linear", "mlp", "knn", "cut at early"}
    assert all(option.measured and option.accuracy is not None for option in advice.options)


def test_its_words_and_its_page_say_macro_f1(advice: Advice) -> None:
    assert "Predicted macro F1:" in words.verdict(advice)
    assert words.columns(advice, WORDS)[1] == "macro F1"
    page = render_advice(advice, "pairs", WORDS)
    assert "Macro F1 against depth" in page and "ccuracy" not in page.replace("accuracy-", "")
    assert {name for name, _ in figure_pngs(advice, WORDS)} == {"depth", "curve"}


def test_more_labels_are_foretold_from_nested_sets(advice: Advice) -> None:
    curve = advice.curve
    assert curve is not None and len(curve.points) >= 4
    assert curve.labels == pytest.approx(2 * 240 / 10, abs=2), "two digits a picture, or one twice"
    assert curve.points[-1].accuracy.value > curve.points[0].accuracy.value + 0.1


def test_the_headline_is_the_macro_f1_of_all_folds_together(pool: Pool) -> None:
    folds = draw_folds(pool, folds=3, repeats=1, seed=0)
    said = np.zeros((240, 10), np.bool_)

    def learn(fold: Fold) -> torch.Tensor:
        model = fit_one(pool.labelled("early", fold.learn), Setting(l2=0.1), HEAD, "linear")
        named = model.logits(pool.features["early"][fold.judge]) > 0
        said[fold.judge.numpy()] = named.numpy()
        return named

    judged = measure_learner(pool, folds, learn)
    found = headline_of(judged, None, Resampling(200))
    assert found is not None
    assert found.value == pytest.approx(f1_score(pool.targets.numpy(), said, average="macro"))
    assert found.low < found.value < found.high
    equal = gain_of(judged, dataclasses.replace(judged), None, Resampling(200))
    assert equal is not None and (equal.value, equal.low, equal.high) == (0, 0, 0)


def test_near_duplicates_count_once_for_each_class_that_they_show(pool: Pool) -> None:
    twice = torch.cat([pool.features["early"], 1.001 * pool.features["early"][:40]])
    size = measure_size(twice, torch.cat([pool.targets, pool.targets[:40]]), NAMES, copies=0)
    assert size.examples == 280 and 230 <= size.effective <= 240
    assert sum(one.examples for one in size.classes) == int(pool.targets.sum() + pool.targets[:40].sum())
    assert all(one.effective <= one.examples for one in size.classes)


def test_features_are_scored_against_shuffled_sets(pool: Pool) -> None:
    rows = pool.features["early"] - pool.features["early"].mean(0)
    mixed = pool.targets[torch.randperm(240, generator=torch.Generator().manual_seed(0))]
    labellings = torch.stack([pool.targets, mixed])
    for score in (log_me(rows, labellings, 10), neighbour_headline(rows, labellings, 10)):
        assert score[0] > score[1] + 0.05
