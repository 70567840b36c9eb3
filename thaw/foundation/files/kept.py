"""Measured pieces: each is kept as soon as it is done, so what was killed continues where it stopped, and the same inputs are not measured again."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from thaw.foundation.files.atomic import write_bytes

Arrays = Mapping[str, NDArray[Any]]
_ODD = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class Kept:
    """Pieces by name. folder: for the pieces of the same inputs alone; None: nothing is kept. prefix: of the names."""

    folder: Path | None = None
    prefix: str = ""

    def below(self, name: str) -> "Kept":
        """The pieces whose names begin with `name` too."""
        return Kept(self.folder, f"{self.prefix}{name}-")

    def read(self, name: str) -> Arrays | None:
        """A piece; None if there is none, or if its file is damaged."""
        if self.folder is None:
            return None
        try:
            return load(self._path(self.folder, name).read_bytes())
        except (OSError, SafetensorError):
            return None

    def write(self, name: str, arrays: Arrays) -> None:
        """Keep a piece."""
        if self.folder is not None:
            write_bytes(self._path(self.folder, name), save({key: np.ascontiguousarray(arrays[key]) for key in arrays}))

    def _path(self, folder: Path, name: str) -> Path:
        return folder / f"{_ODD.sub('_', self.prefix + name)}.safetensors"
