"""OpenVINO on the CPU: the backbone is converted once and compiled. It needs the extra `openvino`; `make install` installs it."""

import json
import sys
import tempfile
import threading
import warnings
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from blake3 import blake3
from torch.jit._trace import TracerWarning

from thaw.backbones.backbone import Backbone
from thaw.backbones.engines.engine import MICRO_BATCH, Precision, padded
from thaw.backbones.engines.whole_network import WholeNetwork
from thaw.foundation.errors import BadParameters
from thaw.kinds.batches import Batch, tensor_of

Shape = tuple[int, int, int, int]
_HINTS = {"float32": "f32", "bfloat16": "bf16"}


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
    # Without this the converter reports each use to its makers; without the module it reports nothing.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        openvino: Any = import_module("openvino")
    except ImportError as error:
        raise BadParameters(
            "the engine openvino needs the package openvino, which is not installed; `make install` brings it, or `pip install -e '.[openvino]'` "
            "in Thaw's folder"
        ) from error
    shape = (size, 3, *side)
    kept = keep / _kept_name(backbone, shape) if keep else None
    model = _convert(openvino, backbone, shape) if kept is None else _kept(openvino, backbone, shape, kept)
    settings = {
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
        "INFERENCE_NUM_THREADS": workers,
        "NUM_STREAMS": workers,
    }
    return OpenVinoEngine(backbone, openvino.Core().compile_model(model, "CPU", settings), precision, size=size)


def is_kept(backbone: Backbone, side: tuple[int, int], keep: Path | None) -> bool:
    """Whether the converted network is in the folder `keep`."""
    return keep is not None and (keep / _kept_name(backbone, (MICRO_BATCH, 3, *side))).is_dir()


def _kept_name(backbone: Backbone, shape: Shape) -> str:
    """The name of the converted network's folder, from everything that the conversion depends on."""
    network = [backbone.architecture, backbone.weights_digest, backbone.layers, backbone.preprocessing.to_json()]
    facts = [version("openvino"), *network, shape[0], shape[2:]]
    return f"openvino-{blake3(json.dumps(facts).encode()).hexdigest(12)}"


def _kept(openvino: Any, backbone: Backbone, shape: Shape, folder: Path) -> Any:
    """Read the converted network from its folder; if there is none, convert the network first. One rename moves the whole folder to its place."""
    file = folder / "network.xml"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".tmp-", dir=folder.parent) as name:
            unfinished = Path(name) / folder.name
            openvino.save_model(_convert(openvino, backbone, shape), unfinished / file.name, compress_to_fp16=False)
            with suppress(OSError):  # another process was faster
                unfinished.rename(folder)
    return openvino.Core().read_model(file)


def _convert(openvino: Any, backbone: Backbone, shape: Shape) -> Any:
    example = torch.zeros(*shape, dtype=torch.uint8)
    whole = WholeNetwork(backbone.extractor, backbone.layers, backbone.preprocessing, torch.float32).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TracerWarning)  # the size of examples is fixed here
        model = openvino.convert_model(whole, example_input=example)
    model.reshape(list(shape))
    return model
