"""PyTorch on the CPU without padding, for networks that can run so."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from thaw.backbones.backbone import Backbone
from thaw.backbones.encoders.packed_bert import packed_bert
from thaw.backbones.engines.engine import Precision
from thaw.kinds.batches import Batch


@dataclass(frozen=True, eq=False)
class PackedEngine:
    """An engine whose `network` computes the outputs of the cut layers, float32 [B, ...], for the places alone that are no padding."""

    backbone: Backbone
    network: Callable[[Mapping[str, Tensor]], dict[str, Tensor]]
    precision: Precision
    name: str = "torch without padding"

    def features(self, batch: Batch) -> dict[str, Tensor]:
        """See `Engine`."""
        preprocessing = self.backbone.preprocessing
        with torch.inference_mode():
            normalised = preprocessing.normalise(batch)
            assert not isinstance(normalised, Tensor)
            outputs, mask = self.network(normalised), preprocessing.mask(batch)
            return {name: self.backbone.pool(name, output, mask) for name, output in outputs.items()}


def is_packable(backbone: Backbone) -> bool:
    """Whether the backbone's network runs without padding, and PyTorch has the products for it here."""
    return torch.backends.mkldnn.is_available() and packed_bert(backbone.model, backbone.layers) is not None


def build_packed_engine(backbone: Backbone, precision: Precision) -> PackedEngine:
    """The engine with copies of the weights in its precision; see `is_packable`."""
    build = packed_bert(backbone.model, backbone.layers)
    assert build is not None
    return PackedEngine(backbone, build(getattr(torch, precision)), precision)
