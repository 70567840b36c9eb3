"""Features brought to mean 0 and standard deviation 1, by the training statistics."""

from dataclasses import dataclass

import torch
from torch import Tensor

CONSTANT = 1e-6
"""A feature whose deviation is below this share of its mean is constant: float32 holds no more digits than that."""

BLOCK = 256  # rows at a time: what is made on the way stays in the processor's cache


@dataclass(frozen=True, eq=False)
class Standardisation:
    """`(features - mean) * scale`; mean and scale are float32 [D], scale is 0 for a feature that is constant in training."""

    mean: Tensor
    scale: Tensor

    def apply(self, features: Tensor) -> Tensor:
        """Standardised features, a new float32 [N, D]."""
        return (features.float() - self.mean).mul_(self.scale)


def fit_standardisation(features: Tensor) -> Standardisation:
    """The statistics of `features`, float32 [N, D] with N >= 1, summed in float64; the deviation is over N."""
    blocks = features.split(BLOCK)
    zero = features.new_zeros(features.shape[1], dtype=torch.float64)
    mean = sum((block.sum(0, dtype=torch.float64) for block in blocks), zero) / len(features)
    squares = sum(((block.double() - mean).square_().sum(0) for block in blocks), zero)
    deviation = (squares / len(features)).sqrt()
    constant = deviation <= CONSTANT * mean.abs()
    return Standardisation(mean.float(), torch.where(constant, 0, 1 / deviation).float())
