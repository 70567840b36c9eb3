"""PyTorch's compiler on the CPU: it fuses the folded network into fewer kernels, and arranges the weights for them."""

import os
import shutil
from dataclasses import dataclass

import torch

from thaw.backbones.backbone import Backbone
from thaw.backbones.engines.engine import MICRO_BATCH, Precision, padded
from thaw.backbones.engines.torch_engine import folded
from thaw.backbones.engines.whole_network import WholeNetwork
from thaw.kinds.batches import Batch, tensor_of


@dataclass(frozen=True, eq=False)
class CompiledEngine:
    """An engine whose `network` is compiled at its first call, for uint8 [MICRO_BATCH, 3, H, W]."""

    backbone: Backbone
    network: WholeNetwork
    precision: Precision
    name: str = "torch compiled"

    def features(self, batch: Batch) -> dict[str, torch.Tensor]:
        """See `Engine`."""
        with torch.inference_mode():
            parts = [self._forward(part) for part in tensor_of(batch).split(MICRO_BATCH)]
        return {name: torch.cat([part[name] for part in parts]) for name in self.backbone.layers}

    def _forward(self, batch: torch.Tensor) -> dict[str, torch.Tensor]:
        outputs = self.network(padded(batch, MICRO_BATCH))
        named_outputs = zip(self.backbone.layers, outputs, strict=True)
        return {name: self.backbone.pool(name, output[: len(batch)].float()) for name, output in named_outputs}


def build_compiled_engine(backbone: Backbone, precision: Precision) -> CompiledEngine:
    """The engine before its first batch, which compiles the network in 3 to 30 s; a failure is then PyTorch's RuntimeError."""
    dtype = getattr(torch, precision)
    network = folded(backbone.extractor).to(dtype)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    whole = WholeNetwork(network, backbone.layers, backbone.preprocessing, dtype).eval()
    # Frozen weights are constants, and the compiler arranges them for its kernels.
    whole.compile(dynamic=False, options={"freezing": True})
    return CompiledEngine(backbone, whole, precision)


def has_compiler() -> bool:
    """Whether there is a C++ compiler, which PyTorch's compiler needs."""
    return shutil.which(os.environ.get("CXX", "g++")) is not None
