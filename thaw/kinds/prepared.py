"""Prepared examples for learners that do not use features; they are kept in temporary files, so that memory does not grow with their number."""

import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from typing import BinaryIO

import numpy as np
import torch
from torch import Tensor

from thaw.foundation.parallel.memory_budget import MemoryBound
from thaw.foundation.parallel.ordered_map import map_ahead, usable_cores
from thaw.kinds.batches import Batch
from thaw.kinds.kind import IDENTITY, Kind, Limits, Preprocessing, Preview, Reader, Reference
from thaw.kinds.reading import read_ingested
from thaw.kinds.registry import kind_named

DECODED = 512 * 10**6
"""The memory of all examples during their decoding, in bytes; a single example may take more."""


def kind_of(preprocessing: Preprocessing) -> Kind:
    """The kind that a backbone with this preprocessing takes."""
    return kind_named(preprocessing.kind)


def open_reader(preprocessing: Preprocessing, limits: Limits) -> Reader:
    """A reader with room enough for the largest example within the limits."""
    kind = kind_of(preprocessing)
    return kind.reader(preprocessing, limits, MemoryBound(max(DECODED, kind.largest_nbytes(limits))))


def read_examples(references: Sequence[Reference], preprocessing: Preprocessing, limits: Limits) -> Batch:
    """The prepared examples before the normalisation, read in the same way as for features; at least one example.

    Tensors are memory maps of files that are already unlinked: the system may page them out, and removes them with the tensors.

    Raises:
        BadSource: an example is gone, or has changed since the ingestion.
    """
    reader = open_reader(preprocessing, limits)
    spool = _Spool()
    for _, example in map_ahead(partial(_one, reader), references, depth=4 * usable_cores()):
        spool.add(example)
    return spool.batch()


def preview_of(reference: Reference, kind: Kind, limits: Limits, *, small: bool = False) -> Preview:
    """The preview of an ingested example on a page.

    Raises:
        BadSource: the example is gone, or has changed since the ingestion.
        BadExample: the example is damaged, or larger than the limits.
    """
    return kind.preview(read_ingested(*reference), limits, small=small)


def _one(reader: Reader, reference: Reference) -> Batch:
    """An example as a batch of one."""
    return reader.read([reference], (IDENTITY,))[IDENTITY]


class _Spool:
    """A collector of batches of one example; its result is one batch, in which shorter examples get zeros at their end."""

    def __init__(self) -> None:
        self._columns: dict[str, _Column] = {}
        self._single = True

    def add(self, example: Batch) -> None:
        self._single = isinstance(example, Tensor)
        parts: Mapping[str, Tensor] = {"": example} if isinstance(example, Tensor) else example
        for name, tensor in parts.items():
            self._columns.setdefault(name, _Column()).add(tensor[0].contiguous())

    def batch(self) -> Batch:
        tensors = {name: column.tensor() for name, column in self._columns.items()}
        return tensors[""] if self._single else tensors


class _Column:
    """The values of one tensor of all examples, one after the other in a file."""

    def __init__(self) -> None:
        self._file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115  # it is closed with its last memory map
        self._shapes: list[tuple[int, ...]] = []
        self._dtype = np.dtype(np.uint8)

    def add(self, tensor: Tensor) -> None:
        array = tensor.numpy()
        self._dtype = array.dtype
        self._shapes.append(array.shape)
        self._file.write(array.tobytes())

    def tensor(self) -> Tensor:
        """The tensor [N, ...]; it is a map of the file if all examples have the same shape."""
        self._file.flush()
        largest = tuple(max(sizes) for sizes in zip(*self._shapes, strict=True))
        if all(shape == largest for shape in self._shapes):
            shape = (len(self._shapes), *largest)
            return torch.from_numpy(np.memmap(self._file, self._dtype, "r+", shape=shape))
        return self._padded(largest)

    def _padded(self, largest: tuple[int, ...]) -> Tensor:
        with tempfile.TemporaryFile() as file:
            padded = np.memmap(file, self._dtype, "w+", shape=(len(self._shapes), *largest))
        self._file.seek(0)
        for row, shape in enumerate(self._shapes):
            count = int(np.prod(shape))
            values = np.frombuffer(self._file.read(count * self._dtype.itemsize), self._dtype).reshape(shape)
            padded[row][tuple(slice(size) for size in shape)] = values
        return torch.from_numpy(padded)
