"""Scores of how well known an input is, on features and on the head's logits; each is larger for better known inputs."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from thaw.heads.fitted import FittedHead
from thaw.heads.standardisation import Standardisation

ScoreName = Literal["max_probability", "energy", "mahalanobis", "neighbours", "background"]
BLOCK = 2**24
"""The number of differences or similarities at a time (64 MB), for any number of rows on either side."""


@dataclass(frozen=True)
class MaxProbability:
    """The probability of the most probable class (Hendrycks and Gimpel, ICLR 2017), from 1 / C to 1."""

    name: ClassVar[ScoreName] = "max_probability"

    def known(self, features: Tensor, logits: Tensor) -> Tensor:
        """Features float32 [N, D] and calibrated logits float32 [N, C] -> float32 [N]."""
        return logits.softmax(1).amax(1)


@dataclass(frozen=True)
class Energy:
    """The log of the sum of the exponentials of the logits: the negative free energy (Liu et al., NeurIPS 2020), in units of the head's temperature."""

    name: ClassVar[ScoreName] = "energy"

    def known(self, features: Tensor, logits: Tensor) -> Tensor:
        """Features float32 [N, D] and calibrated logits float32 [N, C] -> float32 [N]."""
        return logits.logsumexp(1)


@dataclass(frozen=True, eq=False)
class Mahalanobis:
    """Minus the distance to the nearest class mean, under one covariance for all classes (Lee et al., NeurIPS 2018, section 2.1).

    whitening: float32 [D, D]; after it the covariance of standardised features within a class is the identity. means: float32 [C, D], whitened.
    The distance is divided by the root of D, so that a row of a class has a distance of 1 on average.
    """

    name: ClassVar[ScoreName] = "mahalanobis"

    standardisation: Standardisation
    whitening: Tensor
    means: Tensor

    def known(self, features: Tensor, logits: Tensor) -> Tensor:
        """Features float32 [N, D] and calibrated logits float32 [N, C] -> float32 [N]."""
        size = max(1, BLOCK // self.means.numel())
        blocks = [self.known_at_once(block) for block in features.split(size)]
        return torch.cat(blocks) if len(features) else torch.empty(0)

    def known_at_once(self, features: Tensor) -> Tensor:
        """The scores of all rows at once, in operations that every exported graph knows."""
        white, means = (self.standardisation.apply(features) @ self.whitening).double(), self.means.double()
        # In float32 the expanded square would lose the digits of small distances.
        squares = white.square().sum(1, keepdim=True) + means.square().sum(1) - 2 * white @ means.T
        nearest: Tensor = squares.amin(1).clamp(min=0).sqrt() / self.means.shape[1] ** 0.5
        return -nearest.float()


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Minus the distance to the k-th nearest training row, both of length 1 (Sun et al., ICML 2022): from -2 to 0.

    rows: float32 [M, D], standardised, of length 1.
    """

    name: ClassVar[ScoreName] = "neighbours"

    standardisation: Standardisation
    rows: Tensor
    neighbours: int

    def known(self, features: Tensor, logits: Tensor) -> Tensor:
        """Features float32 [N, D] and calibrated logits float32 [N, C] -> float32 [N]."""
        size = max(1, BLOCK // len(self.rows))
        blocks = [self.known_at_once(block) for block in features.split(size)]
        return torch.cat(blocks) if len(features) else torch.empty(0)

    def known_at_once(self, features: Tensor) -> Tensor:
        """The scores of all rows at once, in operations that every exported graph knows."""
        similar = F.normalize(self.standardisation.apply(features)) @ self.rows.T
        nearest = similar.topk(self.neighbours, dim=1).values[:, -1]
        return -(2 - 2 * nearest).clamp(min=0).sqrt()


@dataclass(frozen=True)
class Background:
    """The probability of the most probable other class, as a share of its sum with the probability of the background class `target`.

    The score is above 1/2 exactly if the most probable class is not the background.
    """

    name: ClassVar[ScoreName] = "background"

    target: int

    def known(self, features: Tensor, logits: Tensor) -> Tensor:
        """Features float32 [N, D] and calibrated logits float32 [N, C] -> float32 [N]."""
        others = torch.cat([logits[:, : self.target], logits[:, self.target + 1 :]], 1).amax(1)
        return (others - logits[:, self.target]).sigmoid()


Score = MaxProbability | Energy | Mahalanobis | Neighbours | Background


def known_scores(score: Score, head: FittedHead | None, features: Tensor) -> Tensor:
    """The scores of rows of features, float32 [N, D] -> float32 [N]; the head is None if the score uses the features alone."""
    logits = features.new_zeros(len(features), 0) if head is None else head.logits(features) / head.temperature
    return score.known(features, logits)
