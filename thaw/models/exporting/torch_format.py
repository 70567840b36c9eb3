"""`.pt2`: the file format of torch.export, a zip archive of JSON and raw tensors.

torch 2.13 writes the graph and the list of the tensors as JSON, each tensor as its bytes, and the example inputs as a pickle. It also pickles tensors of
subclasses and objects of other kinds, and `torch.export.load` unpickles all of them. So exports hold no example inputs, and a file with any pickle is neither
written nor read here. A reader still has to trust the graph, because torch evaluates the text of its symbolic sizes.
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
        BadExport: torch would pickle a part of the program.
    """
    with warnings.catch_warnings():
        # No contiguous tensor covers weights whose channels lie last; torch warns, and writes their whole storage.
        warnings.filterwarnings("ignore", message="No complete tensor found", category=UserWarning)
        torch.export.save(program, path)
    _refuse_pickle(path)


@dataclass(frozen=True, eq=False)
class TorchRunner:
    """The runner of a `.pt2` file, on the CPU."""

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
        BadExport: the file holds a pickle, or is no such file.
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
        raise BadExport(
            f"{path} holds pickled objects ({', '.join(pickled)}); they could run code when they are loaded"
        )


def _pickled_files(archive: zipfile.ZipFile) -> list[str]:
    """The names of files that are pickles unless they are empty: example inputs, and tensors of older versions."""
    return [
        entry.filename
        for entry in archive.infolist()
        if entry.file_size and (entry.filename.endswith((".pt", ".pkl")) or "/custom_obj" in entry.filename)
    ]


def _pickled_tensors(archive: zipfile.ZipFile) -> list[str]:
    """The tensors and constants that are pickled by the archive's own lists."""
    lists = [json.loads(archive.read(name)) for name in archive.namelist() if name.endswith("_config.json")]
    return [name for listing in lists for name, entry in listing["config"].items() if entry["use_pickle"]]
