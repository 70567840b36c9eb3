"""TensorFlow's checkpoints of the first version: one table with the tensors inside.

The messages are those of `tensorflow/core/util/saved_tensor_slice.proto` and `tensorflow/core/framework/tensor.proto`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thaw.backbones.converting.leveldb_tables import is_table, table_entries
from thaw.backbones.converting.protobuf import integer, messages
from thaw.backbones.converting.tensor_slices import Slice, joined, shape_of, slice_of
from thaw.backbones.converting.tensorflow_files import INDEX
from thaw.foundation.errors import BadWeights

_FLOATING: Mapping[int, tuple[str, int]] = {1: ("<f4", 5), 2: ("<f8", 6)}
"""NumPy's types, and the fields of a message `TensorProto` that hold their values, by the numbers of `types.proto`."""


@dataclass(frozen=True)
class _Tensor:
    type: int
    shape: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class FirstCheckpoint:
    """A `Checkpoint` in one file. parts: the slices of each tensor, and their values as messages `TensorProto`."""

    prefix: Path
    tensors: Mapping[str, _Tensor] = field(repr=False)
    parts: Mapping[str, Sequence[tuple[Slice, bytes]]] = field(repr=False)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """See `Checkpoint`."""
        return {name: each.shape for name, each in self.tensors.items() if each.type in _FLOATING}

    def tensor(self, name: str) -> NDArray[np.generic]:
        """See `Checkpoint`; numbers of 32 and 64 bits with a point are read."""
        if (found := self.tensors.get(name)) is None:
            raise BadWeights(f"{self.prefix} has no tensor `{name}`")
        if found.type not in _FLOATING:
            raise BadWeights(f"{self.prefix}: `{name}` holds no numbers that can be read (type {found.type})")
        kind, number = _FLOATING[found.type]
        parts = self.parts.get(name, ())

        def values(part: int, shape: tuple[int, ...]) -> NDArray[np.generic]:
            packed = b"".join(messages(parts[part][1], number))
            if len(packed) != np.dtype(kind).itemsize * int(np.prod(shape)):
                raise BadWeights("its size and its shape differ")
            return np.frombuffer(packed, kind).reshape(shape)

        try:
            whole = joined(found.shape, [place for place, _ in parts], values)
            if whole is None:
                raise BadWeights("a part is missing")
        except BadWeights as error:
            raise BadWeights(f"{self.prefix} is damaged at `{name}` ({error}); fetch it again") from error
        return whole


def is_first_version(path: Path) -> bool:
    """Whether a file is a checkpoint of the first version."""
    if not path.is_file() or path.suffix == INDEX:
        return False
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 64))
        return is_table(file.read())


def read_first_checkpoint(path: Path) -> FirstCheckpoint:
    """Read a file whole; its blocks have their checksums.

    Raises:
        BadWeights: the file is damaged.
    """
    tensors: dict[str, _Tensor] = {}
    parts: dict[str, list[tuple[Slice, bytes]]] = {}
    try:
        for _, value in table_entries(path.read_bytes()):
            for described in (each for meta in messages(value, 1) for each in messages(meta, 1)):
                shape = messages(described, 2)
                tensors[_name(described)] = _Tensor(integer(described, 3), shape_of(shape[0]) if shape else ())
            for saved in messages(value, 2):
                place = slice_of(b"".join(messages(saved, 2)))
                parts.setdefault(_name(saved), []).extend((place, data) for data in messages(saved, 3))
    except (BadWeights, UnicodeDecodeError) as error:
        raise BadWeights(f"{path} is damaged ({error}); fetch it again") from error
    return FirstCheckpoint(path, tensors, parts)


def _name(message: bytes) -> str:
    return b"".join(messages(message, 1)).decode()
