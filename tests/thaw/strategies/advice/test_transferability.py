"""LogME and nearest neighbours, beside independent ways to the same numbers."""

import numpy as np
import pytest
import torch
from advised import DIGITS, handwriting
from scipy.optimize import minimize
from scipy.stats import multivariate_normal
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from thaw.heads.standardisation import fit_standardisation
from thaw.strategies.advice.transferability import log_me, neighbour_headline, transferability
from thaw.targets.labelled import LabelledFeatures


def standardised(rows: torch.Tensor) -> torch.Tensor:
    return fit_standardisation(rows).apply(rows)


@pytest.mark.parametrize(("rows", "dim"), [(40, 6), (30, 12)])
def test_log_me_is_the_largest_evidence_of_a_bayesian_regression(rows: int, dim: int) -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(rows, dim, generator=generator)
    features -= features.mean(0)
    targets = (features[:, 0] + 0.5 * torch.randn(rows, generator=generator) > 0).long()
    indicator = (targets == 1).double().numpy()
    indicator -= indicator.mean()
    gram = (features.double() @ features.double().T).numpy()

    def minus_evidence(logs: np.ndarray) -> float:
        prior, noise = np.exp(logs)
        covariance = prior * gram + (noise + 1e-9) * np.eye(rows)
        return -float(multivariate_normal(np.zeros(rows), covariance, allow_singular=True).logpdf(indicator))

    best = min(minimize(minus_evidence, start, method="Nelder-Mead").fun for start in ([-2, -2], [-4, -1]))
    assert float(log_me(features, targets[None], 2)[0]) == pytest.approx(-best / rows, abs=2e-3)


def test_neighbours_vote_as_in_scikit_learn() -> None:
    pixels, targets = handwriting(12)
    rows = standardised(pixels)
    voter = KNeighborsClassifier(5, metric="cosine", algorithm="brute")
    said = cross_val_predict(voter, rows.numpy(), targets.numpy(), cv=LeaveOneOut())
    ours = float(neighbour_headline(rows, targets[None], 10)[0])
    assert ours == pytest.approx((said == targets.numpy()).mean(), abs=0.02)  # ties may go another way


def test_a_group_does_not_vote_for_itself() -> None:
    rows = torch.randn(60, 8, generator=torch.Generator().manual_seed(0)).repeat_interleave(2, 0)
    targets, groups = torch.randint(0, 2, (60,)).repeat_interleave(2), torch.arange(60).repeat_interleave(2)
    alone, apart = (float(neighbour_headline(rows, targets[None], 2, one)[0]) for one in (None, groups))
    assert alone > apart


def test_scores_stand_out_from_shuffled_labels_only_where_features_know_them() -> None:
    pixels, targets = handwriting(20)
    known = transferability(LabelledFeatures(pixels, targets, DIGITS))
    assert known.log_me.z is not None and known.neighbours.z is not None
    assert known.log_me.z > 10 and known.neighbours.z > 10
    mixed = targets[torch.randperm(len(targets), generator=torch.Generator().manual_seed(1))]
    unknown = transferability(LabelledFeatures(pixels, mixed, DIGITS))
    assert unknown.log_me.z is not None and abs(unknown.log_me.z) < 4
