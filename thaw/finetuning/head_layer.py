"""A linear head as a trainable layer."""

import torch
from torch import Tensor, nn

from thaw.heads.logistic import LogisticModel
from thaw.heads.standardisation import Standardisation


class HeadLayer(nn.Module):
    """The linear head with a fixed standardisation: float [B, D] to float32 logits [B, C], the same as `LogisticModel.logits`."""

    def __init__(self, model: LogisticModel) -> None:
        super().__init__()
        self.mean = nn.Buffer(model.standardisation.mean.clone())
        self.scale = nn.Buffer(model.standardisation.scale.clone())
        self.limit = model.standardisation.limit
        self.weight = nn.Parameter(model.weights.clone())
        self.bias = nn.Parameter(model.bias.clone())

    def forward(self, features: Tensor) -> Tensor:
        """See the class."""
        # The layer computes in float32 for any precision below, because a deviation can be a thousandth of its mean.
        with torch.autocast(features.device.type, enabled=False):
            rows = ((features.float() - self.mean) * self.scale).clamp(-self.limit, self.limit)
            return torch.addmm(self.bias, rows, self.weight.T)

    def model(self) -> LogisticModel:
        """The head with its present weights."""
        mean, scale, weights, bias = (
            tensor.detach().cpu().clone() for tensor in (self.mean, self.scale, self.weight, self.bias)
        )
        return LogisticModel(Standardisation(mean, scale, self.limit), weights, bias)


def new_head(dim: int, classes: int) -> LogisticModel:
    """An untrained head without a preferred class, for a network that is trained from random weights."""
    standardisation = Standardisation(torch.zeros(dim), torch.ones(dim), torch.inf)
    return LogisticModel(standardisation, torch.zeros(classes, dim), torch.zeros(classes))
