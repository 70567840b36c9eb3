"""A detector: a head on a window that slides over a sequence of features, with one score for each place."""

from dataclasses import dataclass

import torch
from torch import Tensor

from thaw.heads.logistic import LogisticModel
from thaw.heads.mlp import MlpModel

WindowModel = LogisticModel | MlpModel
WINDOWS = 4096
"""The number of windows in memory at a time."""


@dataclass(frozen=True, eq=False)
class Detector:
    """model: on windows of `places` places, flattened, float32 [N, places * D] -> [N, 1]; one layer, or several new layers."""

    model: WindowModel
    places: int

    def scores(self, sequence: Tensor) -> Tensor:
        """The log-odds of the trigger in each window: features float32 [P, D] -> float32 [P - places + 1]; [0] if the sequence is shorter than a window."""
        if len(sequence) < self.places:
            return sequence.new_zeros(0)
        windows = windows_of(sequence, self.places)
        return torch.cat([self.model.logits(part.flatten(1))[:, 0] for part in windows.split(WINDOWS)])


def windows_of(sequence: Tensor, places: int) -> Tensor:
    """Every window, without a copy: [P, D] -> [P - places + 1, places, D]."""
    return sequence.unfold(0, places, 1).transpose(1, 2)
