"""One logistic regression a class, against scikit-learn's."""

import numpy as np
import pytest
import torch
from digit_pairs import pair_features
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from thaw.heads.kinds import weights_of
from thaw.heads.logistic import fit_logistic
from thaw.params.sections import HeadParams

STRENGTHS = (1.0, 1e-2, 1e-4)


@pytest.mark.parametrize("class_weights", ["none", "balanced"])
@pytest.mark.parametrize("rows", [60, 200])  # fewer than features, and about as many
def test_it_is_scikit_learns_one_against_the_rest(class_weights: str, rows: int) -> None:
    pairs = pair_features(rows)
    params = HeadParams(class_weights=class_weights)  # type: ignore[arg-type]
    weights = weights_of(pairs, params)
    models = fit_logistic(pairs.features, pairs.targets, class_weights=weights, l2=STRENGTHS)
    for l2, model in zip(STRENGTHS, models, strict=True):
        regression = LogisticRegression(
            C=1 / (rows * l2), class_weight=None if class_weights == "none" else "balanced", max_iter=10_000, tol=1e-8
        )
        standardised = model.standardisation.apply(pairs.features).numpy()
        theirs = OneVsRestClassifier(regression).fit(standardised, pairs.targets.numpy()).predict_proba(standardised)
        ours = model.logits(pairs.features).sigmoid().numpy()
        assert np.abs(ours - theirs).max() < 1e-3


def test_a_class_is_fitted_as_if_it_were_alone() -> None:
    pairs = pair_features(80)
    ones = torch.ones(2, 10)
    (together,) = fit_logistic(pairs.features, pairs.targets, class_weights=ones, l2=[0.01])
    (alone,) = fit_logistic(pairs.features, pairs.targets[:, [4, 7]], class_weights=ones[:, :2], l2=[0.01])
    gap = together.logits(pairs.features)[:, [4, 7]] - alone.logits(pairs.features)
    assert gap.abs().max() < 0.02
