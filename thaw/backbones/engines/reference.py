"""The plainest computation of features; every faster way is checked against it."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from thaw.backbones.backbone import Backbone
from thaw.kinds.batches import Batch, moved, split


def reference_features(batch: Batch, backbone: Backbone, batch_size: int = 16) -> dict[str, torch.Tensor]:
    """The features by PyTorch's plain forward pass in float32 on the CPU: float32 [N, dim] by cut layer."""
    return reference_pass(reference_network(backbone), batch, backbone, batch_size)


def reference_network(backbone: Backbone) -> nn.Module:
    """The backbone's extractor on the CPU with its weights laid out plainly: a copy made by torchvision, or the extractor itself if it is so already."""
    weights = [*backbone.extractor.parameters(), *backbone.extractor.buffers()]
    if not backbone.extractor.training and all(tensor.device.type == "cpu" and tensor.dim() < 4 for tensor in weights):
        return backbone.extractor
    # A deep copy of a network that torchvision cut is in training mode.
    network = copy.deepcopy(backbone.extractor).cpu().eval()
    plain: nn.Module = network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return plain


def reference_pass(
    network: nn.Module, batch: Batch, backbone: Backbone, batch_size: int = 16
) -> dict[str, torch.Tensor]:
    """`reference_features` with a network of `reference_network`."""
    with torch.inference_mode():
        parts = [_pooled(network, part, backbone) for part in split(moved(batch, torch.device("cpu")), batch_size)]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def _pooled(network: nn.Module, batch: Batch, backbone: Backbone) -> dict[str, torch.Tensor]:
    preprocessing = backbone.preprocessing
    outputs, mask = network(preprocessing.normalise_plainly(batch)), preprocessing.mask(batch)
    return {name: backbone.pool(name, output, mask) for name, output in outputs.items()}


LEAST_LEFT = 0.01
"""The least share of a row's length that is left without the mean; with less the mean is not subtracted."""


@dataclass(frozen=True)
class Deviation:
    """The deviation of features [N, dim] from the reference's.

    cosine: the smallest cosine of a row with its reference, after the reference's mean is subtracted from both; without that, the large common mean of raw
    features makes any two rows look alike. A row that hardly differs from the mean, such as of copies of one example, is compared without the subtraction.
    largest: the largest difference of a value, in standard deviations of the reference.
    """

    cosine: float
    largest: float

    def __str__(self) -> str:
        return f"cosine {self.cosine:.6f}, largest difference {self.largest:.4f} sd"


def deviation(features: torch.Tensor, reference: torch.Tensor) -> Deviation:
    """The deviation of features float [N, dim] from the reference's, row for row; N is at least 2."""
    mean = reference.mean(0)
    # If a row without the mean has almost no length, the remainder is rounding.
    is_like_all = (reference - mean).norm(dim=1) < LEAST_LEFT * reference.norm(dim=1)
    taken_off = torch.where(is_like_all[:, None], 0.0, mean)
    cosines = F.cosine_similarity(features.float() - taken_off, reference - taken_off, dim=1)
    cosines = torch.where((features == reference).all(1), 1.0, cosines)  # rows of zeros have no direction
    largest = (features.float() - reference).abs().max() / reference.std().clamp(min=1e-12)
    return Deviation(float(cosines.min()), float(largest))


def worst_deviation(features: Mapping[str, torch.Tensor], reference: Mapping[str, torch.Tensor]) -> Deviation:
    """The deviation in the cut layer where the cosine is smallest."""
    return min((deviation(features[name], reference[name]) for name in reference), key=lambda first: first.cosine)
