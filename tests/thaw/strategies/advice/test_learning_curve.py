"""Learning curves: what they foretell, and when they don't."""

import numpy as np
import pytest
import torch
from advised import HEAD, handwriting, pool_of
from hypothesis import given
from hypothesis import strategies as st

from thaw.foundation.statistics.bootstrap import Resampling
from thaw.heads import fit_head
from thaw.strategies.advice.learning_curve import fit_power_laws, foretell, measure_curve, sizes_up_to
from thaw.strategies.advice.out_of_fold import Fitting
from thaw.strategies.advice.pool import Pool, draw_folds
from thaw.targets.labelled import LabelledFeatures

LABELS = np.array([2.0, 4, 8, 16, 32, 64])


@given(st.integers(1, 100_000))
def test_sizes_rise_to_the_largest(most: int) -> None:
    sizes = sizes_up_to(most)
    assert sizes[-1] == most and sizes[0] >= 1 and len(sizes) <= 8
    assert list(sizes) == sorted(set(sizes))


@pytest.mark.parametrize(("floor", "scale", "exponent"), [(0.05, 0.4, 0.5), (0.0, 0.3, 1.0), (0.2, 0.0, 0.5)])
def test_a_power_law_is_found_again(floor: float, scale: float, exponent: float) -> None:
    errors = (floor + scale * LABELS**-exponent)[None]
    floors, scales, exponents = fit_power_laws(LABELS, errors)
    fitted = floors + scales * np.array([128.0, 320.0]) ** -exponents
    assert fitted == pytest.approx(floor + scale * np.array([128.0, 320.0]) ** -exponent, abs=0.003)


def test_errors_that_rise_give_a_flat_law() -> None:
    floors, scales, _ = fit_power_laws(LABELS, np.linspace(0.1, 0.3, 6)[None])
    assert scales[0] == 0 and floors[0] == pytest.approx(0.2)


def test_noise_foretells_nothing() -> None:
    errors = np.random.default_rng(0).uniform(0, 1, (200, 6))
    found, law, unclear = foretell(64, LABELS, errors, 0.95)
    assert found == () and law is None and unclear is not None and "too few" in unclear
    found, _, unclear = foretell(3, LABELS[:3], errors[:, :3], 0.95)
    assert found == () and unclear is not None and "label at least" in unclear


def test_what_twice_the_labels_bring_lies_in_the_interval() -> None:
    pool = pool_of(15)
    folds = draw_folds(pool, folds=3, repeats=3, seed=0)
    curve = measure_curve(pool, folds, "late", Fitting(HEAD), Resampling(200))
    assert [point.labels for point in curve.points] == sorted(point.labels for point in curve.points)
    assert curve.unclear is None and curve.labels == 15
    twice, five = curve.prospects
    assert 0 < twice.gain.low <= twice.gain.value < five.gain.value
    pixels, targets = handwriting(170)
    place = torch.cat([torch.arange(170)] * 10)

    def reached(count: int) -> float:
        learn, judge = place < count, place >= 75
        head = fit_head(LabelledFeatures(pixels[learn], targets[learn], pool.class_names), None, HEAD)
        return float((head.logits(pixels[judge]).argmax(1) == targets[judge]).float().mean())

    assert twice.accuracy.low < reached(30) < twice.accuracy.high


def test_subsets_are_nested(monkeypatch: pytest.MonkeyPatch) -> None:
    from thaw.strategies.advice import learning_curve

    pool = Pool({"late": torch.zeros(40, 1)}, torch.arange(40) % 2, ("a", "b"))
    for fold in draw_folds(pool, folds=4, repeats=2, seed=0):
        small, large = (set(learning_curve._nested(pool, fold, size).tolist()) for size in (3, 9))
        assert small < large <= set(fold.learn.tolist()) and len(small) == 6
