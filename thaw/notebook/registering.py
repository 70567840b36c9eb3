"""The way from a notebook into MLflow's registry.

The registry belongs to the floor above the library, and is opened by its name alone: a notebook that registers nothing needs no MLflow.
"""

from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from thaw.notebook.model import Model

_DOOR = "tasks.requests.register_fitted"
"""The module with the function `register_fitted(folder, name)`."""


def register(model: "Model", name: str) -> str:
    """See `Model.register`."""
    from thaw.notebook.storage import write_model

    with TemporaryDirectory(prefix="thaw-model-") as scratch:
        folder = write_model(model, Path(scratch) / "model")
        address: str = import_module(_DOOR).register_fitted(folder, name)
        return address
