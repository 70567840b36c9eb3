"""ONNX: the graph for onnxruntime and other readers. It needs the extra `onnx`, which `make install` installs."""

import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.export import ExportedProgram

from thaw.foundation.errors import BadExport
from thaw.kinds.batches import Batch
from thaw.models.exporting.graph import BATCH, Arrays

NEEDED = ("onnx", "onnxruntime", "onnxscript")
LARGEST_FILE = 2_000_000_000
"""The size of weights in bytes above which they are written to a file beside the graph; protobuf holds at most 2 GiB."""


def check_installed() -> None:
    """Raise BadExport if a package that ONNX needs is not installed."""
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise BadExport(
            f"exporting as onnx needs {', '.join(missing)}; run `make install`, or `pip install -e '.[onnx]'` in Thaw's folder; --format torch needs "
            "no further package"
        )


def write_onnx(program: ExportedProgram, inputs: Sequence[str], outputs: Sequence[str], path: Path) -> None:
    """Write the graph as ONNX, with the given names of inputs and outputs, and with the batch as the dimension `N`.

    Raises:
        BadExport: an operation has no form in ONNX.
    """
    check_installed()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # libraries warn about each other's old names
            converted = torch.onnx.export(
                program, dynamo=True, input_names=list(inputs), output_names=list(outputs), verbose=False
            )
    except torch.onnx.OnnxExporterError as error:
        raise BadExport(f"the model has no form in ONNX: {_reason(error)}; try --format torch") from error
    assert converted is not None
    _tidy(converted.model)
    size = sum(tensor.nbytes for tensor in program.state_dict.values())
    converted.save(path, external_data=size > LARGEST_FILE)


@dataclass(frozen=True, eq=False)
class OnnxRunner:
    """The runner of an ONNX file, by onnxruntime on the CPU."""

    session: Any

    @property
    def name(self) -> str:
        """See `Runner`."""
        import onnxruntime

        return f"onnxruntime {onnxruntime.__version__}"

    def run(self, batch: Batch) -> Arrays:
        """See `Runner`."""
        names = [given.name for given in self.session.get_inputs()]
        return tuple(np.asarray(output) for output in self.session.run(None, named_arrays(batch, names)))


def named_arrays(batch: Batch, names: Sequence[str]) -> dict[str, np.ndarray[Any, Any]]:
    """A batch by the names of a graph's inputs."""
    if isinstance(batch, torch.Tensor):
        return {names[0]: batch.numpy()}
    return {name: tensor.numpy() for name, tensor in batch.items()}


def read_onnx(path: Path) -> OnnxRunner:
    """Load an ONNX file."""
    import onnxruntime

    return OnnxRunner(onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]))


def _reason(error: Exception) -> str:
    """The line of torch's long error that names the missing operation."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return next((line for line in lines if "No ONNX function" in line), lines[0] if lines else type(error).__name__)


def _tidy(model: Any) -> None:
    """Remove torch's notes on each node, which hold paths of this machine, and give the batch its name."""
    import onnx_ir as ir

    batch = str(model.graph.inputs[0].shape[0].value)
    for value in _values(model.graph):
        value.metadata_props.clear()
        if value.shape is not None:
            value.shape = ir.Shape(
                [re.sub(rf"\b{batch}\b", BATCH, each.value) if isinstance(each, ir.SymbolicDim) and each.value else each
                 for each in value.shape]
            )  # fmt: skip
    for node in model.graph:
        node.metadata_props.clear()
        node.doc_string = None


def _values(graph: Any) -> Iterator[Any]:
    yield from graph.inputs
    yield from graph.initializers.values()
    for node in graph:
        yield from node.outputs
