"""The interface of engines."""

from typing import Literal, Protocol

import torch

from thaw.kinds.batches import Batch

Precision = Literal["float32", "bfloat16", "float16"]

MICRO_BATCH = 8
"""Examples that go through the network at once on a CPU core: what a layer makes of them then stays in its cache.

Measured on one core with 2 MB of level-2 cache: MobileNetV2 runs 1.4 times as fast as with 64 examples, ResNet-18 1.2 times.
"""


class Engine(Protocol):
    """Runs a frozen backbone. `features` may be called from several threads at once."""

    @property
    def name(self) -> str:
        """As in `extract.engine`, with what was done to the network where there is a choice."""

    @property
    def precision(self) -> Precision:
        """Of the arithmetic; part of the fingerprint."""

    def features(self, batch: Batch) -> dict[str, torch.Tensor]:
        """Features of B prepared examples: float32 [B, dim] on the CPU for each cut layer."""


def padded(batch: torch.Tensor, size: int) -> torch.Tensor:
    """The batch [B, ...] with zeros after it, [size, ...]: for networks that were made for one size."""
    return torch.cat([batch, batch.new_zeros(size - len(batch), *batch.shape[1:])])
