"""Scores: each larger for what is better known, row by row, and equal to what the papers say."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from openness_rows import blobs, digits, head_on_digits
from sklearn.neighbors import NearestNeighbors

from thaw.heads.open_set.distances import fit_mahalanobis, fit_neighbours_score
from thaw.heads.open_set.scores import Background, Energy, MaxProbability, Score, known_scores

NO_LOGITS = torch.empty(0)
LOGITS = st.lists(st.lists(st.floats(-30, 30, width=32), min_size=3, max_size=3), min_size=1, max_size=20)


def every_score() -> list[Score]:
    rows = digits(6)
    return [MaxProbability(), Energy(), fit_mahalanobis(rows), fit_neighbours_score(rows, 2), Background(0)]


@pytest.mark.parametrize("score", every_score(), ids=lambda score: score.name)
def test_a_row_scores_the_same_in_any_company_and_order(score: Score) -> None:
    features, head = digits(10, 60, skip=900).features, head_on_digits()
    together = known_scores(score, head, features)
    order = torch.randperm(60, generator=torch.Generator().manual_seed(0))
    assert together.shape == (60,) and together.dtype == torch.float32
    assert torch.allclose(known_scores(score, head, features[order]), together[order], atol=1e-4)
    assert torch.allclose(known_scores(score, head, features[:1]), together[:1], atol=1e-4)
    assert known_scores(score, head, features[:0]).shape == (0,)


@pytest.mark.parametrize("score", every_score()[:4], ids=lambda score: score.name)
def test_known_digits_score_higher_than_others(score: Score) -> None:
    found, targets = digits(10, 700, skip=900), digits(10, 700, skip=900).targets
    scores = known_scores(score, head_on_digits(), found.features)
    known, unknown = scores[targets < 6], scores[targets >= 6]
    assert (known[:, None] > unknown).float().mean() > 0.75


@given(LOGITS)
def test_energy_and_probability_are_the_papers(rows: list[list[float]]) -> None:
    logits = torch.tensor(rows)
    exact = np.array(rows)
    energy = np.log(np.exp(exact).sum(1))
    assert np.allclose(Energy().known(NO_LOGITS, logits), energy, atol=1e-3)
    assert np.allclose(MaxProbability().known(NO_LOGITS, logits), np.exp(exact.max(1) - energy), atol=1e-4)


@given(LOGITS, st.integers(0, 2))
def test_the_background_score_passes_a_half_only_where_another_class_wins(rows: list[list[float]], target: int) -> None:
    logits = torch.tensor(rows)
    above = Background(target).known(NO_LOGITS, logits) > 0.5
    assert not (above & (logits.argmax(1) == target)).any()
    best_other = torch.cat([logits[:, :target], logits[:, target + 1 :]], 1).amax(1)
    clearly = best_other > logits[:, target] + 1e-5
    assert above[clearly].all()


def test_neighbours_is_the_distance_to_the_kth_row() -> None:
    rows, others = digits(6), digits(10, 50, skip=900)
    score = fit_neighbours_score(rows, 3)
    mine = score.known(others.features, NO_LOGITS)
    standardised = torch.nn.functional.normalize(score.standardisation.apply(others.features))
    distances, _ = NearestNeighbors(n_neighbors=3).fit(score.rows.numpy()).kneighbors(standardised.numpy())
    assert np.allclose(-mine, distances[:, 2], atol=1e-3)


def test_blocks_change_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, others = digits(6), digits(10, 50, skip=900).features
    scores = (fit_mahalanobis(rows), fit_neighbours_score(rows, 2))
    whole = [score.known(others, NO_LOGITS) for score in scores]
    monkeypatch.setattr("thaw.heads.open_set.scores.BLOCK", 1500)
    for score, expected in zip(scores, whole, strict=True):
        assert torch.allclose(score.known(others, NO_LOGITS), expected, atol=1e-5)


def test_mahalanobis_counts_in_spreads_of_a_class() -> None:
    """Rows of a class are 1 away in the root mean square; a row on a mean is not away at all."""
    rows, fresh = blobs((400, 400, 400), dim=8), blobs((400, 400, 400), dim=8)
    score = fit_mahalanobis(rows)
    assert (-score.known(fresh.features, NO_LOGITS)).square().mean().sqrt() == pytest.approx(1, abs=0.1)
    means = torch.stack([rows.features[rows.targets == label].mean(0) for label in range(3)])
    assert score.known(means, NO_LOGITS).amin() > -0.1
