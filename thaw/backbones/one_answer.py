"""One answer for an example, also of a network that answers at each place of a sequence."""

import torch
from torch import nn

from thaw.backbones.places import spans_of
from thaw.backbones.pooling import pool
from thaw.kinds.batches import Batch
from thaw.kinds.kind import Preprocessing


class OneAnswer(nn.Module):
    """Logits float32 [B, C] of a network: its own, or the mean of those at the places of an example.

    The classifier is linear, so that is the answer for the mean of the places. preprocessing: masks the padding of a batch.
    """

    def __init__(self, network: nn.Module, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.network = network
        self.preprocessing = preprocessing
        spans = [*spans_of(network).values()]
        self.span = spans[-1] if spans else None

    def forward(self, batch: Batch) -> torch.Tensor:
        """See the class; batch: normalised examples."""
        mask = None if isinstance(batch, torch.Tensor) else self.preprocessing.mask(batch)
        return pool(self.network(batch), "average", mask, self.span)
