"""The engine that runs everywhere: PyTorch, with batch normalisation folded into the preceding convolutions."""

import copy
import logging
import warnings
from dataclasses import dataclass

import torch
from torch import nn
from torch.fx import GraphModule
from torch.fx.experimental.optimization import fuse
from torch.fx.proxy import TraceError
from torch.nn.modules.batchnorm import _BatchNorm

from thaw.backbones.backbone import Backbone
from thaw.backbones.engines.engine import MICRO_BATCH, Precision
from thaw.kinds.batches import Batch, as_floats, laid_out, moved, rows_in, split, trimmed

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class TorchEngine:
    """An engine whose `network` is a folded copy of the backbone's network; the backbone itself does not change."""

    backbone: Backbone
    network: nn.Module
    precision: Precision
    device: torch.device
    name: str = "torch"

    def features(self, batch: Batch) -> dict[str, torch.Tensor]:
        """See `Engine`."""
        own: int = getattr(self.backbone.model, "micro_batch", MICRO_BATCH)
        size = own if self.device.type == "cpu" else rows_in(batch)
        with torch.inference_mode():
            # A part may be of shorter examples than the batch.
            parts = [
                self._forward(trimmed(part, self.backbone.preprocessing.mask(part))) for part in split(batch, size)
            ]
        return {name: torch.cat([part[name] for part in parts]) for name in self.backbone.layers}

    def _forward(self, batch: Batch) -> dict[str, torch.Tensor]:
        here, preprocessing = moved(batch, self.device), self.backbone.preprocessing
        mask, normalised = preprocessing.mask(here), laid_out(preprocessing.normalise(here))
        outputs = self.network(as_floats(normalised, getattr(torch, self.precision)))
        return {name: self.backbone.pool(name, output.float(), mask).cpu() for name, output in outputs.items()}


def build_torch_engine(backbone: Backbone, precision: Precision, device: torch.device) -> TorchEngine:
    """Fold a copy of the backbone's network, in its precision, on the device.

    Source of the folding: Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
    Inference", CVPR 2018, section 3.2.
    """
    network = folded(backbone.extractor).to(device, getattr(torch, precision))
    return TorchEngine(backbone, network.to(memory_format=torch.channels_last), precision, device)  # type: ignore[call-overload]


def folded(extractor: nn.Module) -> nn.Module:
    """A copy in evaluation mode without batch normalisation; a plain copy of a network that cannot be traced."""
    # torchvision's extractor has a graph for training beside the one for evaluation, and its copies begin in training mode.
    assert isinstance(extractor, GraphModule)
    plain = GraphModule(extractor, extractor.graph).eval()
    if not any(isinstance(module, _BatchNorm) for module in plain.modules()):
        return copy.deepcopy(plain).eval().requires_grad_(False)  # tracing it anew takes half a second
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            # The network is traced anew, because torchvision's graph keeps whole blocks as single nodes, and nothing inside a block would be folded.
            network = fuse(plain)
        except TraceError:
            log.info("the network cannot be traced, so its batch normalisation is not folded")
            network = copy.deepcopy(plain)
    return network.eval().requires_grad_(False)
