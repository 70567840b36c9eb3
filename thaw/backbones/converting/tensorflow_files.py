"""TensorFlow's checkpoints, and the variables of its SavedModels and of TF-hub's modules, read without TensorFlow.

A checkpoint of the second version, a "bundle", is a table of names (`.index`) and the bytes of the tensors (`.data-00000-of-00001` and so on); the messages in
the table are those of `tensorflow/core/protobuf/tensor_bundle.proto`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from thaw.backbones.converting.crc32c import masked_crc32c
from thaw.backbones.converting.leveldb_tables import table_entries
from thaw.backbones.converting.protobuf import integer, messages
from thaw.backbones.converting.tensor_slices import Slice, joined, shape_of, slice_of
from thaw.foundation.errors import BadWeights

INDEX = ".index"
VARIABLES = "variables/variables"
"""The checkpoint inside a SavedModel or a module of TF-hub."""
VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
"""The end of a variable's name in the checkpoints of TensorFlow 2."""
_TYPES: Mapping[int, str] = {1: "<f4", 2: "<f8", 3: "<i4", 4: "u1", 5: "<i2", 6: "i1", 9: "<i8", 10: "?", 19: "<f2"}
"""NumPy's types by the numbers of `tensorflow/core/framework/types.proto`."""
_BFLOAT16 = 14
_FLOATING = {1, 2, 14, 19}


class Checkpoint(Protocol):
    """The tensors of a file, or of several, by name."""

    @property
    def prefix(self) -> Path:
        """The path that messages name."""

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of all tensors of floating-point numbers, by name."""

    def tensor(self, name: str) -> NDArray[np.generic]:
        """A tensor.

        Raises:
            BadWeights: there is no such tensor, it holds no numbers that are read, or it is damaged.
        """


@dataclass(frozen=True)
class _Entry:
    type: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    checksum: int
    slices: tuple[Slice, ...]


@dataclass(frozen=True, eq=False)
class Bundle:
    """A checkpoint. prefix: the path without `.index`. Tensors are read when they are asked for."""

    prefix: Path
    shards: int
    entries: Mapping[str, _Entry] = field(repr=False)
    parts: Mapping[str, Sequence[_Entry]] = field(repr=False)
    """The slices of tensors that were saved in parts, in the order of the slices."""

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """See `Checkpoint`."""
        return {name: entry.shape for name, entry in self.entries.items() if entry.type in _FLOATING}

    def tensor(self, name: str) -> NDArray[np.generic]:
        """See `Checkpoint`: its bytes have their checksum, and parts are joined. bfloat16 comes as float32."""
        entry = self.entries.get(name)
        if entry is None:
            raise BadWeights(f"{self.prefix} has no tensor `{name}`")
        if not entry.slices:
            return self._read(name, entry, entry.shape)
        parts = self.parts.get(name, ())
        slices = sorted(entry.slices)[: len(parts)]
        whole = joined(entry.shape, slices, lambda number, shape: self._read(name, parts[number], shape))
        if whole is None:
            raise self._damaged(name, "a part is missing")
        return whole

    def part_starts(self, name: str) -> list[int]:
        """The first row of each part of a tensor, in order; one for a tensor that was not saved in parts."""
        return sorted(start for ((start, _), *_) in self.entries[name].slices) or [0]

    def _read(self, name: str, entry: _Entry, shape: tuple[int, ...]) -> NDArray[np.generic]:
        kind = "<u2" if entry.type == _BFLOAT16 else _TYPES.get(entry.type)
        if kind is None:
            raise BadWeights(f"{self.prefix}: `{name}` holds no numbers that can be read (type {entry.type})")
        if math.prod(shape) * np.dtype(kind).itemsize != entry.size:
            raise self._damaged(name, "its size and its shape differ")
        if not entry.size:
            return np.zeros(shape, kind)
        path = self.prefix.with_name(f"{self.prefix.name}.data-{entry.shard:05d}-of-{self.shards:05d}")
        if not path.is_file():
            raise BadWeights(f"{path} is missing; it belongs to {self.prefix}{INDEX}")
        if path.stat().st_size < entry.offset + entry.size:
            raise BadWeights(f"{path} is cut short; fetch it again")
        data = np.memmap(path, np.uint8, "r", offset=entry.offset, shape=(entry.size,))
        if masked_crc32c(np.asarray(data)) != entry.checksum:
            raise self._damaged(name, "it differs from its checksum")
        values = np.array(data).view(kind).reshape(shape)
        return (values.astype(np.uint32) << 16).view(np.float32) if entry.type == _BFLOAT16 else values

    def _damaged(self, name: str, how: str) -> BadWeights:
        return BadWeights(f"{self.prefix} is damaged at `{name}` ({how}); fetch it again")


def prefix_in(path: Path) -> Path | None:
    """The checkpoint that a path means: its prefix, its `.index`, its folder, or the folder of a SavedModel; None: there is none.

    Raises:
        BadWeights: a folder holds several checkpoints and does not say which one counts.
    """
    if path.is_dir():
        if path.joinpath(f"{VARIABLES}{INDEX}").is_file():
            return path / VARIABLES
        found = sorted(each.with_suffix("") for each in path.glob(f"*{INDEX}"))
        if (named := _newest(path)) is not None and named in found:
            return named
        if len(found) > 1:
            raise BadWeights(f"{path} holds {len(found)} checkpoints; name one of them, such as {found[-1]}")
        return found[0] if found else None
    prefix = path.with_suffix("") if path.suffix in (INDEX, ".meta") else path
    return prefix if prefix.with_name(prefix.name + INDEX).is_file() else None


def read_bundle(prefix: Path) -> Bundle:
    """Read the names and places of a checkpoint's tensors.

    Raises:
        BadWeights: the file is damaged, or of a processor with another order of bytes.
    """
    path = prefix.with_name(prefix.name + INDEX)
    try:
        table = dict(table_entries(path.read_bytes()))
        header = table.pop(b"", None)
        if header is None:
            raise BadWeights("it has no header")
        if integer(header, 2):
            raise BadWeights("its numbers begin with the highest byte")
        entries = {key.decode(): _entry(value) for key, value in table.items() if not key.startswith(b"\0")}
        names = {
            name: [key for key in table if key.startswith(_stem(name))] for name in entries if entries[name].slices
        }
        parts = {name: [_entry(table[key]) for key in keys] for name, keys in names.items()}
    except (BadWeights, UnicodeDecodeError) as error:
        raise BadWeights(f"{path} is damaged ({error}); fetch it again") from error
    return Bundle(prefix, integer(header, 1, 1), entries, parts)


def _newest(folder: Path) -> Path | None:
    """The checkpoint that the file `checkpoint` of a folder names."""
    file = folder / "checkpoint"
    if not file.is_file():
        return None
    found = re.search(r'^model_checkpoint_path: "(.*)"', file.read_text("utf-8", "replace"), re.MULTILINE)
    return None if found is None else folder / found[1].replace("\\", "/").rpartition("/")[2]


def _stem(name: str) -> bytes:
    """The beginning of the keys of a tensor's parts; their order is that of the parts' starts and lengths."""
    return b"\0" + name.encode().replace(b"\0", b"\0\xff") + b"\0\1"


def _entry(message: bytes) -> _Entry:
    shape = messages(message, 2)
    return _Entry(
        type=integer(message, 1),
        shape=shape_of(shape[0]) if shape else (),
        shard=integer(message, 3),
        offset=integer(message, 4),
        size=integer(message, 5),
        checksum=integer(message, 6),
        slices=tuple(slice_of(each) for each in messages(message, 7)),
    )
