"""`.pt2`: the graph as torch.export keeps it, a zip archive of JSON and raw tensors.

What torch 2.13 writes there: the graph and the list of the tensors as JSON, each tensor as its bytes, and the example inputs, which it pickles. Tensors of
subclasses and objects of other kinds are pickled too, and `torch.export.load` unpickles whatever it finds. So exports carry no example inputs, a file that
holds any pickle is neither written nor read here, and what is left to trust is the graph: torch evaluates the text of its symbolic sizes.
"""

import json
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.export import ExportedProgram

from thaw.foundation.errors import BadExport
from thaw.kinds.batches import Batch
from thaw.models.exporting.graph import Arrays


def write_program(program: ExportedProgram, path: Path) -> None:
    """Write a `.pt2` file.

    Raises:
        BadExport: torch would pickle a part of it.
    """
    with warnings.catch_warnings():
        # Weights whose channels lie last have no contiguous tensor that covers them; their whole storage is written all the same.
        warnings.filterwarnings("ignore", message="No complete tensor found", category=UserWarning)
        torch.export.save(program, path)
    _refuse_pickle(path)


@dataclass(frozen=True, eq=False)
class TorchRunner:
    """Runs a `.pt2` on the CPU."""

    module: Any

    @property
    def name(self) -> str:
        """See `Runner`."""
        return f"torch {torch.__version__}"

    def run(self, batch: Batch) -> Arrays:
        """See `Runner`."""
        with torch.inference_mode():
            return tuple(output.numpy() for output in self.module(batch))


def read_program(path: Path) -> TorchRunner:
    """Load a `.pt2` file, unless it holds any pickle.

    Raises:
        BadExport: it does, or is no such file.
    """
    _refuse_pickle(path)
    return TorchRunner(torch.export.load(path).module())


def _refuse_pickle(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            if not any(name.endswith("/archive_format") for name in archive.namelist()):
                raise ValueError("it does not name its format")
            pickled = [*_pickled_files(archive), *_pickled_tensors(archive)]
    except (OSError, zipfile.BadZipFile, ValueError, KeyError, AttributeError) as error:
        raise BadExport(f"{path} is no .pt2 file of torch.export ({error})") from error
    if pickled:
        raise BadExport(f"{path} holds pickled objects ({', '.join(pickled)}), which run code when they are loaded")


def _pickled_files(archive: zipfile.ZipFile) -> list[str]:
    """Names that only pickles have, unless they are empty: example inputs, and tensors as older versions wrote them."""
    return [
        entry.filename
        for entry in archive.infolist()
        if entry.file_size and (entry.filename.endswith((".pt", ".pkl")) or "/custom_obj" in entry.filename)
    ]


def _pickled_tensors(archive: zipfile.ZipFile) -> list[str]:
    """Tensors and constants that the archive's own lists call pickled."""
    lists = [json.loads(archive.read(name)) for name in archive.namelist() if name.endswith("_config.json")]
    return [name for one in lists for name, entry in one["config"].items() if entry["use_pickle"]]
