"""Several new layers: a small network on standardised features, trained with AdamW (Loshchilov and Hutter 2019).

Networks that differ only in their weight decay are trained side by side, as one batch of matrices. They share initial weights, order of rows and dropout
masks, so they differ by nothing but the decay. A network that is trained alone gets the same weights.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor

from thaw.heads.standardisation import Standardisation, fit_standardisation
from thaw.params.values.strategy import HeadKind
from thaw.targets.target import target_of_targets

LEARNING_RATE = 1e-3
STEPS_AN_EPOCH = 8  # the aim, within the bounds of the batch size
SMALLEST_BATCH, LARGEST_BATCH = 16, 1024


@dataclass(frozen=True, eq=False)
class MlpModel:
    """Linear layers with ReLU between them. weights: float32 [in, out] each; biases: float32 [out] each."""

    kind: ClassVar[HeadKind] = "mlp"

    standardisation: Standardisation
    weights: tuple[Tensor, ...]
    biases: tuple[Tensor, ...]

    def logits(self, features: Tensor) -> Tensor:
        """[N, D] float32 -> [N, C] float32."""
        rows = self.standardisation.apply(features)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            rows = torch.addmm(bias, rows, weight).relu_()
        return torch.addmm(self.biases[-1], rows, self.weights[-1])


def averaged(models: Sequence[MlpModel]) -> MlpModel:
    """One network whose logits are the means of those of several networks with the same layers and the same standardisation: they stand side by side in it."""
    first, *_ = models
    layers = len(first.weights)
    weights = [torch.block_diag(*[each.weights[layer] for each in models]) for layer in range(layers)]
    biases = [torch.cat([each.biases[layer] for each in models]) for layer in range(layers)]
    classes = len(first.biases[-1])
    weights[0] = torch.cat([each.weights[0] for each in models], 1)
    weights[-1] = weights[-1].unflatten(1, (-1, classes)).sum(1) / len(models)
    biases[-1] = biases[-1].unflatten(0, (-1, classes)).mean(0)
    return MlpModel(first.standardisation, tuple(weights), tuple(biases))


@dataclass(frozen=True)
class MlpSettings:
    """The settings of a training. hidden: widths of the new layers. dropout: share of hidden units. decays: AdamW's weight decay of each network."""

    hidden: tuple[int, ...]
    dropout: float
    decays: tuple[float, ...]
    epochs: int
    seed: int


def fit_mlps(
    features: Tensor, targets: Tensor, *, class_weights: Tensor, settings: MlpSettings
) -> Iterator[tuple[int, list[MlpModel]]]:
    """Train, and yield (epochs so far, one model for each decay) at `checkpoints(settings.epochs)`; the training ends with the iteration.

    features: float32 [N, D]. targets: int64 [N] or bool [N, C]. class_weights: float32 [C] or [2, C], as the target has them.
    """
    standardisation = fit_standardisation(features)
    rows = standardisation.apply(features)
    generator = torch.Generator().manual_seed(settings.seed)
    widths = (features.shape[1], *settings.hidden, class_weights.shape[-1])
    layers = _Layers.build(widths, len(settings.decays), generator)
    optimizer = torch.optim.Adam([*layers.weights, *layers.biases], lr=LEARNING_RATE, fused=True)
    keep = 1 - LEARNING_RATE * torch.tensor(settings.decays).view(-1, 1, 1)
    due = checkpoints(settings.epochs)
    for epoch in range(1, settings.epochs + 1):
        for index in torch.randperm(len(rows), generator=generator).split(_batch_size(len(rows))):
            logits = layers.forward(rows[index], settings.dropout, generator)
            loss = _loss(logits, targets[index], class_weights)
            optimizer.zero_grad()
            loss.backward()
            with torch.no_grad():
                for weight in layers.weights:
                    weight.mul_(keep)  # AdamW's decay, with a different value for each network
            optimizer.step()
        if epoch in due:
            yield epoch, layers.models(standardisation)


def checkpoints(epochs: int) -> list[int]:
    """The numbers of epochs to try: each is about one and a half times the last, up to `epochs`."""
    numbers = {min(math.ceil(1.5**power), epochs) for power in range(math.ceil(math.log(epochs, 1.5)) + 1)}
    return sorted(numbers | {epochs})


def _batch_size(rows: int) -> int:
    return min(max(rows // STEPS_AN_EPOCH, SMALLEST_BATCH), LARGEST_BATCH)


def _loss(logits: Tensor, targets: Tensor, class_weights: Tensor) -> Tensor:
    """The target's weighted mean loss, summed over the networks, so that each gets its own gradient. logits: [K, B, C]."""
    networks = len(logits)
    repeated = targets.repeat(networks, *(1,) * (targets.dim() - 1))
    return target_of_targets(targets).mean_loss(logits.flatten(0, 1), repeated, class_weights) * networks


@dataclass(frozen=True, eq=False)
class _Layers:
    """K networks at once: weights [K, in, out] each, biases [K, 1, out] each."""

    weights: list[Tensor]
    biases: list[Tensor]

    @classmethod
    def build(cls, widths: Sequence[int], networks: int, generator: torch.Generator) -> "_Layers":
        """He's initial weights, the same for all networks; the last layer starts at zero, so that no class is preferred."""
        weights = []
        for number, (width, out) in enumerate(pairwise(widths)):
            scale = math.sqrt(2 / width) if number < len(widths) - 2 else 0.0
            first = torch.randn(width, out, generator=generator) * scale
            weights.append(first.repeat(networks, 1, 1).requires_grad_())
        return cls(weights, [torch.zeros(networks, 1, out, requires_grad=True) for out in widths[1:]])

    def forward(self, rows: Tensor, dropout: float, generator: torch.Generator) -> Tensor:
        """[B, D] -> logits [K, B, C], with the same units dropped in every network."""
        hidden = rows
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            hidden = (hidden @ weight + bias).relu()
            kept = torch.rand(hidden.shape[1:], generator=generator) >= dropout
            hidden = hidden * (kept / (1 - dropout))
        return hidden @ self.weights[-1] + self.biases[-1]

    def models(self, standardisation: Standardisation) -> list[MlpModel]:
        """A copy of each network in its present state."""
        networks = range(len(self.weights[0]))
        return [
            MlpModel(
                standardisation,
                tuple(weight[network].detach().clone() for weight in self.weights),
                tuple(bias[network, 0].detach().clone() for bias in self.biases),
            )
            for network in networks
        ]
