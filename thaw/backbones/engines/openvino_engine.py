"""OpenVINO on the CPU for maps of one size."""

import threading
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.jit._trace import TracerWarning

from thaw.backbones.backbone import Backbone
from thaw.backbones.engines.engine import MICRO_BATCH, Precision, padded
from thaw.backbones.engines.openvino_network import compiled_network, kept_folder, kept_network, load_openvino
from thaw.backbones.engines.whole_network import WholeNetwork
from thaw.kinds.batches import Batch, tensor_of

Shape = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class OpenVinoEngine:
    """An engine whose `compiled` network takes uint8 [size, 3, H, W]; each thread has an inference request of its own."""

    backbone: Backbone
    compiled: Any
    precision: Precision
    name: str = "openvino"
    size: int = MICRO_BATCH
    requests: threading.local = field(default_factory=threading.local)

    def features(self, batch: Batch) -> dict[str, torch.Tensor]:
        """See `Engine`."""
        parts = [self._forward(part) for part in tensor_of(batch).split(self.size)]
        return {name: torch.cat([part[name] for part in parts]) for name in self.backbone.layers}

    def _forward(self, batch: torch.Tensor) -> dict[str, torch.Tensor]:
        whole = padded(batch, self.size)
        if not hasattr(self.requests, "own"):
            self.requests.own = self.compiled.create_infer_request()
        outputs = self.requests.own.infer(whole.numpy())
        copies = (
            np.array(outputs[place]) for place in range(len(self.backbone.layers))
        )  # copied: the request reuses its memory
        return {
            name: self.backbone.pool(name, torch.from_numpy(output)[: len(batch)])
            for name, output in zip(self.backbone.layers, copies, strict=True)
        }


def build_openvino_engine(
    backbone: Backbone,
    precision: Precision,
    side: tuple[int, int],
    workers: int,
    keep: Path | None = None,
    *,
    size: int = MICRO_BATCH,
) -> OpenVinoEngine:
    """Convert and compile the backbone for examples of `side` (height, width), for `workers` threads of one core each.

    keep: the folder of converted networks; None: the network is not kept. size: the number of examples in a pass; smaller batches are padded.

    Raises:
        BadParameters: OpenVINO is not installed.
    """
    openvino = load_openvino()
    shape = (size, 3, *side)
    model = kept_network(openvino, _folder(backbone, shape, keep), lambda: _convert(openvino, backbone, shape))
    return OpenVinoEngine(backbone, compiled_network(openvino, model, precision, workers), precision, size=size)


def is_kept(backbone: Backbone, side: tuple[int, int], keep: Path | None) -> bool:
    """Whether the converted network is in the folder `keep`."""
    folder = _folder(backbone, (MICRO_BATCH, 3, *side), keep)
    return folder is not None and folder.is_dir()


def _folder(backbone: Backbone, shape: Shape, keep: Path | None) -> Path | None:
    return None if keep is None else kept_folder(keep, backbone, (shape[0], shape[2:]))


def _convert(openvino: Any, backbone: Backbone, shape: Shape) -> Any:
    example = torch.zeros(*shape, dtype=torch.uint8)
    whole = WholeNetwork(backbone.extractor, backbone.layers, backbone.preprocessing, torch.float32).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TracerWarning)  # the size of examples is fixed here
        model = openvino.convert_model(whole, example_input=example)
    model.reshape(list(shape))
    return model
