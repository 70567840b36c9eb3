"""Distance scores are fitted on anything that training rows may be: single rows, constants, more dimensions than rows."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from openness_rows import blobs, digits

from thaw.heads.open_set.distances import fit_mahalanobis, fit_neighbours_score, neighbours_for
from thaw.targets.labelled import LabelledFeatures

NO_LOGITS = torch.empty(0)
COUNTS = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple)


@settings(max_examples=40)
@given(COUNTS, st.integers(1, 40), st.integers(0, 3), st.booleans())
def test_any_rows_give_finite_scores(counts: tuple[int, ...], dim: int, constant: int, repeated: bool) -> None:
    rows = blobs(counts, dim)
    rows.features[:, :constant] = 7.0
    if repeated:
        rows.features[:] = rows.features[0].clone()
    far = torch.cat([rows.features, rows.features + 1e6, torch.zeros(1, dim)])
    for score in (fit_mahalanobis(rows), fit_neighbours_score(rows, 50)):
        assert torch.isfinite(score.known(far, NO_LOGITS)).all()


def test_a_class_without_rows_has_no_mean() -> None:
    rows = blobs((5, 5))
    wider = LabelledFeatures(rows.features, rows.targets * 2, ("a", "none of this", "b"))
    assert fit_mahalanobis(wider).means.shape == (2, 4)


def test_the_order_of_the_rows_changes_nothing() -> None:
    rows, fresh = digits(5, 200), digits(5, 50, skip=400).features
    turned = rows.rows(torch.arange(200).flip(0))
    for fit in (fit_mahalanobis, lambda some: fit_neighbours_score(some, 2)):
        one, other = (fit(some).known(fresh, NO_LOGITS) for some in (rows, turned))
        assert torch.allclose(one, other, atol=1e-3)


def test_without_shrinkage_it_is_the_textbooks_distance() -> None:
    rows = blobs((4000, 4000), dim=3)
    score = fit_mahalanobis(rows)
    standard = score.standardisation.apply(rows.features).double().numpy()
    means = np.stack([standard[rows.targets == label].mean(0) for label in (0, 1)])
    inverse = np.linalg.inv(np.cov((standard - means[rows.targets]).T))
    away = standard[:, None] - means
    exact = np.einsum("ncd,de,nce->nc", away, inverse, away).min(1) / 3
    assert np.allclose(score.known(rows.features, NO_LOGITS), -np.sqrt(exact), rtol=0.05, atol=0.02)


@pytest.mark.parametrize(("counts", "k"), [((1, 1), 1), ((300, 300), 3), ((5000,) * 2, 50), ((20_000, 1, 20_000), 50)])
def test_k_grows_with_the_rows_of_a_class(counts: tuple[int, ...], k: int) -> None:
    assert neighbours_for(blobs(counts, dim=1)) == k
