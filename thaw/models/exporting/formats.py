"""The formats that a model is exported in, and what runs them."""

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np

    from thaw.kinds.batches import Batch


class Format(StrEnum):
    """`onnx`: for onnxruntime and all else that reads it. `torch`: a `.pt2` of torch.export."""

    ONNX = "onnx"
    TORCH = "torch"

    @property
    def file(self) -> str:
        """The name of the graph's file in the folder of an export."""
        return {"onnx": "model.onnx", "torch": "model.pt2"}[self]


class Runner(Protocol):
    """Runs an exported graph."""

    @property
    def name(self) -> str:
        """The runtime and its version."""

    def run(self, batch: "Batch") -> "tuple[np.ndarray[Any, Any], ...]":
        """The graph's outputs, in their order, of prepared examples."""
