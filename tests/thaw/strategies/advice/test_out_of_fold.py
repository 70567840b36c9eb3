"""Probes that do not flatter."""

import numpy as np
import pytest
import torch
from advised import DIGITS, HEAD, handwriting, pool_of

from thaw.heads import fit_head
from thaw.params.values.strategy import HeadKind
from thaw.strategies.advice.out_of_fold import Fitting, HeadTrial, OutOfFold, measure_heads, measure_learner
from thaw.strategies.advice.pool import Pool, draw_folds
from thaw.targets.one_label.target import ONE_LABEL


def test_labels_that_mean_nothing_come_out_at_chance() -> None:
    generator = torch.Generator().manual_seed(0)
    pool = Pool({"x": torch.randn(400, 30, generator=generator)}, torch.arange(400) % 2, ("a", "b"))
    strengths = tuple(10.0**power for power in range(-6, 2))
    head = HEAD.model_copy(update={"l2": strengths})
    folds = draw_folds(pool, folds=5, repeats=3, seed=0)
    (found,) = measure_heads(pool, folds, [HeadTrial("linear", "x")], Fitting(head))
    assert np.nanmean(found.shares) == pytest.approx(0.5, abs=0.06), "the best of eight settings is not flattered"


@pytest.mark.parametrize("kind", ["linear", "mlp", "knn"])
def test_it_says_what_a_head_then_reaches(kind: HeadKind) -> None:
    pool = pool_of(20)
    folds = draw_folds(pool, folds=3, repeats=1, seed=0)
    (found,) = measure_heads(pool, folds, [HeadTrial(kind, "late")], Fitting(HEAD))
    pixels, targets = handwriting(60)
    unseen = torch.cat([(targets == number).nonzero().flatten()[20:] for number in range(10)])
    head = fit_head(pool.labelled("late", pool.learners), None, HEAD, kind)
    reached = float((head.logits(pixels[unseen]).argmax(1) == targets[unseen]).float().mean())
    assert np.nanmean(found.shares) == pytest.approx(reached, abs=0.08)


def test_side_by_side_comes_out_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thaw.strategies.advice.out_of_fold.SMALL", 0)
    pool = pool_of(6)
    folds = draw_folds(pool, folds=3, repeats=2, seed=0)
    trials = [HeadTrial("linear", "early"), HeadTrial("knn", "late")]
    alone, many = (measure_heads(pool, folds, trials, Fitting(HEAD, workers)) for workers in (1, 3))
    for one, other in zip(alone, many, strict=True):
        assert np.array_equal(one.tallies, other.tallies) and np.array_equal(one.judged, other.judged)


def test_a_row_that_was_not_judged_has_no_share() -> None:
    nan = np.nan
    right, judged = np.array([[True, False, False], [False] * 3]), np.array([[True, False, True], [True, False, False]])
    shares = OutOfFold(ONE_LABEL, right[..., None], judged).shares
    assert np.array_equal(shares, [[0.5], [nan], [0]], equal_nan=True)


def test_a_learner_is_judged_on_what_it_was_not_given() -> None:
    pool = Pool({"x": torch.zeros(10, 1)}, torch.arange(10) % 2, DIGITS[:2])
    folds = draw_folds(pool, folds=2, repeats=1, seed=0)
    found = measure_learner(pool, folds, lambda fold: torch.tensor([[True, False]]).expand(len(fold.judge), 2))
    assert found.shares.tolist() == [[1], [0]] * 5
