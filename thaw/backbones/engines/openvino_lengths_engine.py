"""OpenVINO on the CPU for batches that are mappings: any number of examples of any length."""

import threading
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.export import Dim, export

from thaw.backbones.backbone import Backbone
from thaw.backbones.engines.engine import Precision
from thaw.backbones.engines.openvino_network import compiled_network, kept_folder, kept_network, load_openvino
from thaw.backbones.engines.reference import worst_deviation
from thaw.backbones.engines.tolerances import TOLERANCES
from thaw.foundation.files.atomic import write_bytes
from thaw.kinds.batches import Batch, changed, mapping_of, rows_in, taken, trimmed

AT_ONCE = 16
"""The number of examples in a pass. Larger passes are no faster, and their examples differ more in length, so they hold more padding."""


class NotConvertible(RuntimeError):
    """OpenVINO cannot express the network for all lengths; another engine runs it."""


@dataclass(frozen=True, eq=False)
class OpenVinoLengthsEngine:
    """An engine whose `compiled` network takes the tensors `names` of a normalised batch; each thread has an inference request of its own."""

    backbone: Backbone
    compiled: Any
    names: tuple[str, ...]
    precision: Precision
    name: str = "openvino"
    requests: threading.local = field(default_factory=threading.local)

    def features(self, batch: Batch) -> dict[str, Tensor]:
        """See `Engine`."""
        order = _by_length(self.backbone.preprocessing.mask(batch), rows_in(batch))
        with torch.inference_mode():
            parts = [self._forward(part) for part in _parts(self.backbone, batch, order)]
        back = order.argsort()
        return {name: torch.cat([part[name] for part in parts])[back] for name in self.backbone.layers}

    def _forward(self, batch: Batch) -> dict[str, Tensor]:
        preprocessing = self.backbone.preprocessing
        normalised, mask = mapping_of(preprocessing.normalise(batch)), preprocessing.mask(batch)
        if not hasattr(self.requests, "own"):
            self.requests.own = self.compiled.create_infer_request()
        found = self.requests.own.infer([normalised[name].numpy() for name in self.names])
        # Copied, because the request reuses its memory.
        outputs = (torch.from_numpy(np.array(found[place])) for place in range(len(self.backbone.layers)))
        named = zip(self.backbone.layers, outputs, strict=True)
        return {name: self.backbone.pool(name, output.float(), mask) for name, output in named}


def build_openvino_lengths_engine(
    backbone: Backbone, precision: Precision, sample: Batch, workers: int, keep: Path | None = None
) -> OpenVinoLengthsEngine:
    """Convert and compile the backbone for `workers` threads of one core each.

    sample: some prepared examples, which show the tensors of a batch. keep: see `build_openvino_engine`.

    Raises:
        BadParameters: OpenVINO is not installed.
        NotConvertible: OpenVINO cannot express the network for all lengths.
    """
    openvino = load_openvino()
    normalised = _longer(backbone, sample)
    names = tuple(normalised)
    folder = None if keep is None else _folder(backbone, names, keep)
    try:
        model = kept_network(openvino, folder, lambda: _converted(openvino, backbone, normalised))
    except NotConvertible as error:
        if folder is not None:
            write_bytes(_refusal(folder), str(error).encode())
        raise
    return OpenVinoLengthsEngine(backbone, compiled_network(openvino, model, precision, workers), names, precision)


def is_kept_for_lengths(backbone: Backbone, sample: Batch, keep: Path | None) -> bool:
    """Whether the converted network is in the folder `keep`; sample: see `build_openvino_lengths_engine`."""
    return keep is not None and _folder(backbone, tuple(_longer(backbone, sample)), keep).is_dir()


def is_refused(backbone: Backbone, sample: Batch, keep: Path | None) -> bool:
    """Whether a conversion failed before, which the folder `keep` tells; sample: see `build_openvino_lengths_engine`."""
    return keep is not None and _refusal(_folder(backbone, tuple(_longer(backbone, sample)), keep)).is_file()


def _refusal(folder: Path) -> Path:
    """The file that stands in for a converted network if there can be none."""
    return folder.with_name(f"{folder.name}.refused")


def _folder(backbone: Backbone, names: tuple[str, ...], keep: Path) -> Path:
    return kept_folder(keep, backbone, ("lengths", names))


def _by_length(mask: Tensor | None, count: int) -> Tensor:
    """The numbers of the examples, int64 [B], by their number of places; mask: bool [B, T], None: all are of one length."""
    return torch.arange(count) if mask is None else mask.sum(1).argsort(stable=True)


def _parts(backbone: Backbone, batch: Batch, order: Tensor) -> Iterator[Batch]:
    for rows in order.split(AT_ONCE):
        part = taken(batch, rows)
        yield trimmed(part, backbone.preprocessing.mask(part))


def _longer(backbone: Backbone, sample: Batch) -> Mapping[str, Tensor]:
    """Two normalised examples, each repeated until it is longer than two of the network's windows."""
    window = getattr(backbone.preprocessing, "window", None) or 1
    two = taken(sample, torch.tensor([0, rows_in(sample) - 1]))
    places = max(tensor.shape[1] for tensor in mapping_of(two).values() if tensor.dim() > 1)
    times = 2 + 2 * window // places
    repeated = changed(two, lambda each: torch.cat([each] * times, 1) if each.dim() > 1 else each)
    return mapping_of(backbone.preprocessing.normalise(repeated))


class _InOrder(nn.Module):
    """The network as a module from the tensors `names` to a tuple of outputs, in the order of `layers`."""

    def __init__(self, network: nn.Module, names: tuple[str, ...], layers: tuple[str, ...]) -> None:
        super().__init__()
        self.network, self.names, self.layers = network, names, layers

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        outputs = self.network(dict(zip(self.names, tensors, strict=True)))
        return tuple(outputs[name] for name in self.layers)


def _converted(openvino: Any, backbone: Backbone, example: Mapping[str, Tensor]) -> Any:
    """The network in OpenVINO's form, compared with PyTorch on the example: a conversion may fix what depends on the length."""
    whole = _InOrder(backbone.extractor, tuple(example), backbone.layers).eval()
    tensors = tuple(example.values())
    dynamic = tuple({0: Dim.AUTO, 1: Dim.AUTO} if tensor.dim() > 1 else {0: Dim.AUTO} for tensor in tensors)
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = export(whole, tensors, dynamic_shapes=(dynamic,))
            model = openvino.convert_model(program, extension=_extensions(openvino))
    except Exception as error:  # both converters raise errors of many types for networks that they cannot express
        raise NotConvertible(f"the network cannot be converted: {_reason(error)}") from error
    found = compiled_network(openvino, model, "float32", 1)([tensor.numpy() for tensor in tensors])
    with torch.inference_mode():
        expected = dict(zip(backbone.layers, whole(*tensors), strict=True))
    features = {name: torch.from_numpy(found[place]).flatten(1) for place, name in enumerate(backbone.layers)}
    deviation = worst_deviation(features, {name: output.flatten(1) for name, output in expected.items()})
    if not TOLERANCES["float32"].allows(deviation):
        raise NotConvertible(f"the converted network gives other outputs: {deviation}")
    return model


def _reason(error: Exception) -> str:
    """The line of an error that names what is missing; the first line of OpenVINO's errors is a place in its own code."""
    lines = [line.strip("- ") for line in str(error).splitlines() if line.strip("- ")]
    return next((line for line in lines if "No conversion rule" in line), next(iter(lines), type(error).__name__))


def _extensions(openvino: Any) -> list[Any]:
    """Operations that OpenVINO's converter lacks: the smaller and the larger of two lengths."""
    from openvino.frontend.pytorch import ConversionExtension

    operations = openvino.opset14
    pairs = ((torch.sym_min, operations.minimum), (torch.sym_max, operations.maximum))
    return [
        ConversionExtension(str(function), lambda node, make=make: make(node.get_input(0), node.get_input(1)).outputs())
        for function, make in pairs
    ]
