"""The formats of exports, and their runners."""

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np

    from thaw.kinds.batches import Batch


class Format(StrEnum):
    """The format of an export. `onnx`: for onnxruntime and other readers of ONNX. `onnx-int8`: the same with the backbone in integers of 8 bits.
    `torch`: a `.pt2` of torch.export."""

    ONNX = "onnx"
    INT8 = "onnx-int8"
    TORCH = "torch"

    @property
    def file(self) -> str:
        """The name of the graph's file in the folder of an export."""
        return "model.pt2" if self is Format.TORCH else "model.onnx"


class Runner(Protocol):
    """A runner of an exported graph."""

    @property
    def name(self) -> str:
        """The runtime and its version."""

    def run(self, batch: "Batch") -> "tuple[np.ndarray[Any, Any], ...]":
        """The graph's outputs for prepared examples, in their order."""
