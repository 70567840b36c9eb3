"""Temperature scaling: one number that turns logits into honest probabilities (Guo et al. 2017)."""

import math

import torch.nn.functional as F
from torch import Tensor

COLDEST, HOTTEST = 0.02, 50.0
"""The range of temperatures; a value outside (of logits without information, or with reversed order) is clamped."""

STEPS = 100
PRECISION = 1e-6  # of the log of the temperature


def fit_temperature(logits: Tensor, targets: Tensor) -> float:
    """The temperature that minimises the log loss of `softmax(logits / temperature)`, by Newton's method on
    its logarithm.

    The log loss is that of the rows and of one more whose class is unknown, as Platt (1999) smooths targets:
    N rows without an error do not prove that errors are rarer than about 1 in N. So separable rows have a
    finite temperature too.

    logits: float32 [N, C]. targets: int64 [N]. No rows: 1.
    """
    if not len(targets):
        return 1.0
    low, high = -math.log(HOTTEST), -math.log(COLDEST)
    scores = logits.double() - logits.double().mean(1, keepdim=True)
    if not scores.any():
        return 1.0
    wanted = float((_smoothed(targets, logits.shape[1]) * scores).sum(1).mean())
    # The loss is convex in the inverse temperature, so its slope changes sign at most once.
    if _derivatives(scores, wanted, low)[0] >= 0:
        return HOTTEST
    if _derivatives(scores, wanted, high)[0] <= 0:
        return COLDEST
    inverse = 0.0  # its logarithm
    for _ in range(STEPS):
        slope, curvature = _derivatives(scores, wanted, inverse)
        low, high = (inverse, high) if slope < 0 else (low, inverse)
        newton = inverse - slope / curvature if curvature > 0 else low
        following = newton if low < newton < high else (low + high) / 2
        if abs(following - inverse) < PRECISION:
            break
        inverse = following
    return math.exp(-inverse)


def _smoothed(targets: Tensor, classes: int) -> Tensor:
    """What is known of each row's class, float64 [N, C]: the targets, and 1 / (N + 1) of one row of unknown
    class."""
    unknown = 1 / (len(targets) + 1)
    return F.one_hot(targets, classes).double() * (1 - unknown) + unknown / classes


def _derivatives(scores: Tensor, wanted: float, inverse: float) -> tuple[float, float]:
    """First and second derivative of the loss by the log of the inverse temperature."""
    factor = math.exp(inverse)
    shares = (scores * factor).softmax(1)
    mean = (shares * scores).sum(1)
    variance = (shares * scores.square()).sum(1) - mean.square()
    slope = (float(mean.mean()) - wanted) * factor
    return slope, slope + float(variance.mean()) * factor**2
