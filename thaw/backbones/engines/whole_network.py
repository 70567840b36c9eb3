"""The network with its normalisation as one module, for compilers: they fuse the two."""

import torch
from torch import nn

from thaw.kinds.images.preprocessing import Preprocessing


class WholeNetwork(nn.Module):
    """Maps uint8 [B, 3, H, W] to a tuple of outputs, in the order of `layers`; normalises in float32 and computes in `dtype`, channels last."""

    scale: torch.Tensor
    shift: torch.Tensor

    def __init__(
        self, network: nn.Module, layers: tuple[str, ...], preprocessing: Preprocessing, dtype: torch.dtype
    ) -> None:
        super().__init__()
        self.network = network
        self.layers = layers
        self.dtype = dtype
        scale, shift = preprocessing.scale_and_shift()
        self.register_buffer("scale", scale)
        self.register_buffer("shift", shift)

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """See the class."""
        batch = pixels.contiguous(memory_format=torch.channels_last).float() * self.scale - self.shift
        found = self.network(batch.to(self.dtype))
        return tuple(found[name] for name in self.layers)
