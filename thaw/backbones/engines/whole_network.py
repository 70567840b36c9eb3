"""The network with its normalisation as one module; compilers fuse the two."""

import torch
from torch import nn

from thaw.backbones.backbone import Backbone
from thaw.kinds.batches import Batch
from thaw.kinds.kind import Preprocessing


class WholeNetwork(nn.Module):
    """A module from uint8 [B, 3, H, W] to a tuple of outputs, in the order of `layers`; it normalises in float32 and computes in `dtype`, channels last."""

    scale: torch.Tensor
    shift: torch.Tensor

    def __init__(
        self, network: nn.Module, layers: tuple[str, ...], preprocessing: Preprocessing, dtype: torch.dtype
    ) -> None:
        super().__init__()
        self.network = network
        self.layers = layers
        self.dtype = dtype
        affine = preprocessing.scale_and_shift()
        assert affine is not None, "see is_fusible"
        scale, shift = affine
        self.register_buffer("scale", scale)
        self.register_buffer("shift", shift)

    def forward(self, maps: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """See the class."""
        batch = maps.contiguous(memory_format=torch.channels_last).float() * self.scale - self.shift
        outputs = self.network(batch.to(self.dtype))
        return tuple(outputs[name] for name in self.layers)


def is_fusible(backbone: Backbone, batch: Batch) -> bool:
    """Whether compilers can take the network with its normalisation: the batch is maps [B, C, H, W], normalised by a product and a difference."""
    return isinstance(batch, torch.Tensor) and batch.dim() == 4 and backbone.preprocessing.scale_and_shift() is not None
