"""Standardisation by the training statistics."""

import pytest
import torch

from thaw.heads.standardisation import OUTLIER, fit_standardisation
from thaw.targets.labelled import LabelledFeatures


def test_training_features_get_mean_0_and_deviation_1() -> None:
    features = torch.rand(1000, 5, generator=torch.Generator().manual_seed(0)) * torch.tensor([1, 9, 1e-20, 1e25, 3])
    rows = fit_standardisation(features).apply(features).double()
    assert torch.allclose(rows.mean(0), torch.zeros(5).double(), atol=1e-5)
    assert torch.allclose(rows.std(0, correction=0), torch.ones(5).double(), atol=1e-5)


def test_a_feature_that_is_constant_in_training_is_ignored(train: LabelledFeatures) -> None:
    standardisation = fit_standardisation(train.features)
    constant = train.features.amax(0) == train.features.amin(0)
    assert constant.any()
    assert torch.equal(standardisation.scale == 0, constant)
    assert (standardisation.apply(torch.full((2, 64), 1e9))[:, constant] == 0).all()


@pytest.mark.parametrize("value", [0.1, 1e7, 1e30, -3.3])
def test_a_constant_is_found_in_spite_of_rounding(value: float) -> None:
    assert fit_standardisation(torch.full((999, 1), value)).scale.item() == 0


def test_a_large_mean_costs_no_digits() -> None:
    small = torch.randn(500, 3, generator=torch.Generator().manual_seed(0)).round(decimals=2)
    near, far = (fit_standardisation(rows).apply(rows) for rows in (small, small + 1000))
    assert torch.allclose(near, far, atol=1e-3)


def test_one_row_is_all_constant() -> None:
    assert (fit_standardisation(torch.ones(1, 4)).scale == 0).all()


def test_outliers_are_drawn_in() -> None:
    """A unit that is silent in all training rows but one must not drown the others elsewhere."""
    features = torch.zeros(50, 1)
    features[0] = 1e-3
    rows = fit_standardisation(features).apply(torch.tensor([[50.0], [-50.0]]))
    assert rows.flatten().tolist() == [OUTLIER, -OUTLIER]


def test_half_precision_features_come_out_in_float32() -> None:
    features = torch.tensor([[1.0], [3.0]])
    assert fit_standardisation(features).apply(features.half()).tolist() == [[-1.0], [1.0]]
