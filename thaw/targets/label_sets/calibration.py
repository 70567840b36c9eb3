"""Calibration of independent classes: one temperature, and a shift of each class's logit, so that `sigmoid(logits / temperature + shifts)` is honest.

The shift is needed because a class looks more or less frequent than it is, for two reasons: the loss weighs rare labels as much as their absence, and a few
hard rows average out. On pairs of digits the shift halves the calibration error that the temperature leaves.
"""

import math

import numpy as np
import torch
from scipy.special import expit
from torch import Tensor

from thaw.foundation.statistics.bootstrap import FloatArray
from thaw.targets.one_label.temperature import COLDEST, HOTTEST
from thaw.targets.target import Calibration


def fit_calibration(logits: Tensor, targets: Tensor) -> Calibration:
    """The calibration that minimises the mean log loss over all rows and classes, the temperature within the bounds of `thaw.targets.one_label.temperature`.

    The targets are smoothed as in Platt (1999): if p of n rows show a class, each of them counts as (p + 1) / (p + 2), and each other row as
    1 / (n - p + 2). So separable classes get finite numbers too.

    logits: float32 [N, C]. targets: bool [N, C]. N is 1 or more.
    """
    from scipy.optimize import minimize

    scores = logits.double().numpy()
    positive = targets.sum(0).double()
    wanted = torch.where(targets, (positive + 1) / (positive + 2), 1 / (len(targets) - positive + 2)).numpy()

    def loss(point: FloatArray) -> tuple[float, FloatArray]:
        """The mean loss and its gradient by (log of the inverse temperature, shifts)."""
        inverse = math.exp(point[0])
        scaled = scores * inverse + point[1:]
        errors = (expit(scaled) - wanted) / scores.size
        value = float((np.logaddexp(0, scaled) - wanted * scaled).mean())
        return value, np.concatenate([[float((errors * scores).sum()) * inverse], errors.sum(0)])

    bounds = [(-math.log(HOTTEST), -math.log(COLDEST)), *[(None, None)] * scores.shape[1]]
    minimum = minimize(loss, np.zeros(1 + scores.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds)
    return Calibration(math.exp(-minimum.x[0]), torch.from_numpy(minimum.x[1:]).float())
