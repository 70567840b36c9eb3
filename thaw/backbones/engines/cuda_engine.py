"""NVIDIA GPUs: a copy of the folded network on each GPU, channels last, in the wanted precision.

Each thread has a stream of its own on one of the GPUs. While the batch of one thread is computed, the batch of the next thread is copied from pinned memory,
so copies and products overlap without a queue.
"""

import copy
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count

import torch
from torch import nn

from thaw.backbones.backbone import Backbone
from thaw.backbones.engines.engine import Precision
from thaw.backbones.engines.torch_engine import folded
from thaw.kinds.batches import Batch, as_floats, changed, laid_out


@dataclass(frozen=True)
class _Place:
    """A copy of the network on a GPU, and one thread's stream there."""

    network: nn.Module
    stream: torch.cuda.Stream


@dataclass(frozen=True, eq=False)
class CudaEngine:
    """An engine with a copy of the network on each GPU; threads are assigned to the copies in turn."""

    backbone: Backbone
    networks: tuple[nn.Module, ...]
    precision: Precision
    name: str = "cuda"
    own: threading.local = field(default_factory=threading.local)
    turn: "count[int]" = field(default_factory=count)

    def features(self, batch: Batch) -> dict[str, torch.Tensor]:
        """See `Engine`."""
        place = self._place()
        device = place.stream.device
        with torch.inference_mode(), torch.cuda.device(device), torch.cuda.stream(place.stream):
            brought = changed(batch, partial(_brought, stream=place.stream))
            preprocessing = self.backbone.preprocessing
            mask, normalised = preprocessing.mask(brought), laid_out(preprocessing.normalise(brought))
            outputs = place.network(as_floats(normalised, getattr(torch, self.precision)))
            features = {
                name: self.backbone.pool(name, output.float(), mask).to("cpu", non_blocking=True)
                for name, output in outputs.items()
            }
            place.stream.synchronize()
        return features

    def _place(self) -> _Place:
        if not hasattr(self.own, "place"):
            network = self.networks[next(self.turn) % len(self.networks)]
            device = next(network.parameters()).device
            self.own.place = _Place(network, torch.cuda.Stream(device))
        place: _Place = self.own.place
        return place


def _brought(tensor: torch.Tensor, stream: torch.cuda.Stream) -> torch.Tensor:
    """A tensor on the stream's device."""
    if not tensor.is_cuda:
        return tensor.pin_memory().to(stream.device, non_blocking=True)
    # The tensor was decoded on a GPU, on the thread's default stream.
    stream.wait_stream(torch.cuda.default_stream(tensor.device))
    tensor.record_stream(stream)
    return tensor.to(stream.device)


def build_cuda_engine(backbone: Backbone, precision: Precision, devices: Sequence[torch.device]) -> CudaEngine:
    """A folded copy of the network on each of the devices, in its precision."""
    if precision == "float32":
        torch.backends.cudnn.allow_tf32 = False  # convolutions would otherwise have 10 bits of precision, not 23
    plain = folded(backbone.extractor).to(getattr(torch, precision))
    plain = plain.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    return CudaEngine(backbone, tuple(copy.deepcopy(plain).to(device) for device in devices), precision)


def build_compiled_cuda_engine(backbone: Backbone, precision: Precision, devices: Sequence[torch.device]) -> CudaEngine:
    """The same engine with compiled copies: the first batch of each compiles it (tens of seconds), and batches of other sizes use the same kernels."""
    plain = build_cuda_engine(backbone, precision, devices)
    for network in plain.networks:
        network.compile(dynamic=True)
    return replace(plain, name="cuda compiled")


def cuda_devices(device: torch.device) -> tuple[torch.device, ...]:
    """The GPUs of a device: `cuda` means every GPU of this machine, and `cuda:1` means GPU 1."""
    numbers = range(torch.cuda.device_count()) if device.index is None else (device.index,)
    return tuple(torch.device("cuda", number) for number in numbers)
