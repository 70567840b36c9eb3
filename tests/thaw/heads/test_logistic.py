"""Multinomial logistic regression."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression

from thaw.heads import logistic_problems
from thaw.heads.lbfgs import Stopping
from thaw.heads.logistic import LogisticModel, fit_logistic
from thaw.heads.standardisation import fit_standardisation
from thaw.targets.labelled import LabelledFeatures

EVEN = torch.ones(10)
STRENGTHS = (1e-5, 1e-3, 1e-1, 10.0)


def fit_one(data: LabelledFeatures, l2: float, weights: torch.Tensor = EVEN) -> LogisticModel:
    (model,) = fit_logistic(data.features, data.targets, class_weights=weights, l2=[l2])
    return model


def objective(
    weights: torch.Tensor, bias: torch.Tensor, *, rows: torch.Tensor, targets: torch.Tensor, l2: float
) -> float:
    """The penalised loss in float64."""
    logits = rows.double() @ weights.double().T + bias.double()
    return float(F.cross_entropy(logits, targets) + l2 / 2 * weights.double().square().sum())


@pytest.mark.parametrize("l2", STRENGTHS)
@pytest.mark.parametrize("name", ["train", "few"])
def test_the_optimum_is_scikit_learns(name: str, l2: float, request: pytest.FixtureRequest) -> None:
    data: LabelledFeatures = request.getfixturevalue(name)
    model = fit_one(data, l2)
    rows = fit_standardisation(data.features).apply(data.features)
    peer = LogisticRegression(C=1 / (len(data) * l2), tol=1e-8, max_iter=5000).fit(rows.numpy(), data.targets.numpy())
    best = objective(torch.tensor(peer.coef_), torch.tensor(peer.intercept_), rows=rows, targets=data.targets, l2=l2)
    assert objective(model.weights, model.bias, rows=rows, targets=data.targets, l2=l2) <= best + 5e-5


def test_class_weights_are_scikit_learns(train: LabelledFeatures, unseen: LabelledFeatures) -> None:
    weights = torch.tensor([5.0, 0.2, *[1.0] * 8])
    rows = fit_standardisation(train.features)
    row_weights = weights[train.targets]
    peer = LogisticRegression(C=1 / (row_weights.sum().item() * 1e-2), tol=1e-6, max_iter=5000).fit(
        rows.apply(train.features).numpy(), train.targets.numpy(), sample_weight=row_weights.numpy()
    )
    theirs = peer.predict_proba(rows.apply(unseen.features).numpy())
    ours = fit_one(train, 1e-2, weights).logits(unseen.features).softmax(1).numpy()
    assert np.abs(ours - theirs).max() < 0.02


def test_strengths_fitted_together_are_as_if_alone(train: LabelledFeatures, val: LabelledFeatures) -> None:
    together = fit_logistic(train.features, train.targets, class_weights=EVEN, l2=STRENGTHS)
    for l2, model in zip(STRENGTHS, together, strict=True):
        alone = fit_one(train, l2).logits(val.features).softmax(1)
        assert (model.logits(val.features).softmax(1) - alone).abs().max() < 0.05


def test_scaled_and_shifted_features_change_no_prediction(train: LabelledFeatures, val: LabelledFeatures) -> None:
    generator = torch.Generator().manual_seed(0)
    scale = 2.0 ** torch.randint(-20, 20, (64,), generator=generator)
    plain = fit_one(train, 1e-2).logits(val.features)
    changed = LabelledFeatures(train.features * scale, train.targets, train.class_names)
    assert torch.allclose(fit_one(changed, 1e-2).logits(val.features * scale), plain, atol=1e-5)
    shifted = LabelledFeatures(train.features + 64, train.targets, train.class_names)
    assert torch.allclose(fit_one(shifted, 1e-2).logits(val.features + 64), plain, atol=0.02)


def test_the_order_of_the_rows_changes_nothing_material(train: LabelledFeatures, val: LabelledFeatures) -> None:
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))
    one, other = (fit_one(data, 1e-3).logits(val.features).softmax(1) for data in (train, train.rows(order)))
    assert (one - other).abs().max() < 0.02


def test_features_that_say_nothing_give_the_shares_of_the_classes() -> None:
    targets = torch.tensor([0, 0, 0, 1])
    (model,) = fit_logistic(torch.ones(4, 3), targets, class_weights=torch.ones(2), l2=[1e-3])
    assert torch.allclose(model.logits(torch.ones(1, 3)).softmax(1), torch.tensor([[0.75, 0.25]]), atol=1e-2)


def test_separable_rows_end_and_stay_finite() -> None:
    features = torch.tensor([[-1.0], [1.0]]).repeat(50, 1)
    (model,) = fit_logistic(features, torch.arange(100) % 2, class_weights=torch.ones(2), l2=[1e-12])
    assert model.weights.isfinite().all()
    assert torch.equal(model.logits(features).argmax(1), torch.arange(100) % 2)


def test_one_row_of_a_class_is_enough() -> None:
    features = torch.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 0.1]])
    (model,) = fit_logistic(features, torch.tensor([0, 1, 1]), class_weights=torch.tensor([2.0, 1.0]), l2=[1e-3])
    assert model.logits(features).argmax(1).tolist() == [0, 1, 1]


def test_blocks_of_rows_and_the_sampled_preconditioner_change_no_optimum(
    train: LabelledFeatures, val: LabelledFeatures, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fit_one(train, 1e-2).logits(val.features)
    monkeypatch.setattr(logistic_problems, "LOGITS", 1)  # 256 rows at a time
    monkeypatch.setattr(logistic_problems, "SAMPLE", 2)
    assert torch.allclose(fit_one(train, 1e-2).logits(val.features), whole, atol=0.05)
    monkeypatch.setattr(logistic_problems, "LARGEST", 1)  # no preconditioner at all
    assert torch.allclose(fit_one(train, 1e-2).logits(val.features), whole, atol=0.05)


def test_stopping_early_is_obeyed(train: LabelledFeatures) -> None:
    (model,) = fit_logistic(
        train.features, train.targets, class_weights=EVEN, l2=[1e-2], stopping=Stopping(evaluations=1)
    )
    assert not model.weights.any()
