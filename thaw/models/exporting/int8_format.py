"""ONNX with integers of 8 bits: onnxruntime's own quantisation of the backbone. The head stays in float32.

Sources: Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", CVPR 2018, sections 2.1 and 3; and
onnxruntime's guide, "Quantize ONNX models", which advises static scales for convolutions and dynamic scales for transformers.
"""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from thaw.foundation.errors import BadExport
from thaw.kinds.batches import Batch
from thaw.models.exporting.onnx_format import LARGEST_FILE, named_arrays

_LINEAR = ("MatMul", "Gemm")
_LAYERS = ("Conv", *_LINEAR)
_NETWORK = "network."
"""The beginning of the names of the backbone's tensors in the graph."""


def write_int8(graph: Path, batches: Sequence[Batch], path: Path) -> None:
    """Write a graph of `write_onnx` with the backbone's layers in 8 bits; each channel of the weights has a scale of its own.

    If most layers are linear maps, these alone are quantised, and each batch gives its own scales of activations. Otherwise the scales are constants, from
    the values of activations on `batches`, and the first layer stays in float32, because the scale of its input would be coarse. Products of two activations
    stay in float32 too.

    Raises:
        BadExport: the backbone has no layer to quantise, or onnxruntime refuses the graph.
    """
    import onnx
    from onnxruntime import quantization

    layers = _layers(onnx.load(graph, load_external_data=False).graph)
    linear = [name for name, operation in layers if operation in _LINEAR]
    if len(layers) < 2:
        raise BadExport("the backbone has fewer than two layers for 8 bits; export without --int8")
    shared: dict[str, Any] = {
        "per_channel": True,
        "weight_type": quantization.QuantType.QInt8,
        "use_external_data_format": graph.stat().st_size > LARGEST_FILE,
    }
    logging.getLogger().addFilter(_no_advice)  # onnxruntime writes to the root logger
    try:
        if 2 * len(linear) > len(layers):
            quantization.quantize_dynamic(graph, path, nodes_to_quantize=linear, **shared)
        elif not batches:
            raise BadExport("there is no training example for the scales of 8 bits; export without --int8")
        else:
            names = [name for name, _ in layers[1:]]
            reader: Any = _Reader(graph, batches)
            options = {"CalibMovingAverage": True}
            quantization.quantize_static(
                graph,
                path,
                reader,
                activation_type=quantization.QuantType.QUInt8,
                nodes_to_quantize=names,
                extra_options=options,
                **shared,
            )
    except (ValueError, RuntimeError, NotImplementedError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise BadExport(f"onnxruntime cannot quantise the graph: {reason}; export without --int8") from error
    finally:
        logging.getLogger().removeFilter(_no_advice)


def _no_advice(record: logging.LogRecord) -> bool:
    """Whether a record is no advice on steps that the export has taken already."""
    return "pre-processing" not in record.getMessage()


def _layers(graph: Any) -> list[tuple[str, str]]:
    """Names and operations of the backbone's layers with weights of their own. The head's nodes come behind the last node that reads a tensor of the
    backbone."""
    weights = {tensor.name for tensor in graph.initializer if len(tensor.dims) > 1}
    nodes = list(graph.node)
    reads = [place for place, node in enumerate(nodes) if any(name.startswith(_NETWORK) for name in node.input)]
    inside = nodes[: reads[-1] + 1] if reads else []
    return [(node.name, node.op_type) for node in inside if node.op_type in _LAYERS and weights & {*node.input[:2]}]


class _Reader:
    """onnxruntime's CalibrationDataReader over batches."""

    def __init__(self, graph: Path, batches: Sequence[Batch]) -> None:
        import onnx

        names = [given.name for given in onnx.load(graph, load_external_data=False).graph.input]
        self._arrays: Iterator[dict[str, np.ndarray[Any, Any]]] = (named_arrays(batch, names) for batch in batches)

    def get_next(self) -> dict[str, np.ndarray[Any, Any]] | None:
        """The next batch by the names of the inputs; None at the end."""
        return next(self._arrays, None)
