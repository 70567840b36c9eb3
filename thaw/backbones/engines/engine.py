"""The interface of engines."""

from typing import Literal, Protocol

import torch

from thaw.kinds.batches import Batch

Precision = Literal["float32", "bfloat16", "float16"]

MICRO_BATCH = 8
"""The number of examples in a pass on a CPU core; the output of a layer then fits into the cache.

Measured on one core with 2 MB of level-2 cache: MobileNetV2 runs 1.4 times as fast as with 64 examples, ResNet-18 1.2 times.
"""


class Engine(Protocol):
    """A way to run a frozen backbone; `features` may be called from several threads at once."""

    @property
    def name(self) -> str:
        """The value of `extract.engine`, and the changes of the network if there is a choice."""

    @property
    def precision(self) -> Precision:
        """The precision of the arithmetic; it is part of the fingerprint."""

    def features(self, batch: Batch) -> dict[str, torch.Tensor]:
        """Features of B prepared examples: float32 [B, dim] on the CPU for each cut layer."""


def padded(batch: torch.Tensor, size: int) -> torch.Tensor:
    """The batch [B, ...] with zeros behind it, [size, ...], for networks that take batches of one size."""
    return torch.cat([batch, batch.new_zeros(size - len(batch), *batch.shape[1:])])
