"""Tensors that a checkpoint of TensorFlow keeps in parts (`tensorflow/core/framework/tensor_slice.proto`)."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from thaw.backbones.converting.protobuf import integer, messages
from thaw.foundation.errors import BadWeights

Slice = tuple[tuple[int, int], ...]
"""The start and the length in each dimension."""
_WHOLE = -1
"""The length of a slice that takes a whole dimension."""


def slice_of(message: bytes) -> Slice:
    """The slice of a message `TensorSliceProto`."""
    return tuple((integer(extent, 1), integer(extent, 2, _WHOLE)) for extent in messages(message, 1))


def shape_of(message: bytes) -> tuple[int, ...]:
    """The shape of a message `TensorShapeProto`."""
    return tuple(integer(dimension, 1) for dimension in messages(message, 2))


def joined(
    shape: tuple[int, ...], slices: Sequence[Slice], read: Callable[[int, tuple[int, ...]], NDArray[np.generic]]
) -> NDArray[np.generic] | None:
    """The whole tensor; None: the slices do not cover it.

    read: the values of a slice, by its number and its shape.

    Raises:
        BadWeights: a slice lies outside of the tensor.
    """
    whole: NDArray[np.generic] | None = None
    covered = 0
    for number, place in enumerate(slices):
        ranges = [_range(extent, size) for extent, size in zip(place, shape, strict=True)]
        values = read(number, tuple(len(each) for each in ranges))
        if whole is None:
            whole = np.empty(shape, values.dtype)
        whole[tuple(slice(each.start, each.stop) for each in ranges)] = values
        covered += values.size
    return whole if whole is not None and covered == whole.size else None


def _range(extent: tuple[int, int], size: int) -> range:
    start, length = extent
    stop = size if length == _WHOLE else start + length
    if not 0 <= start <= stop <= size:
        raise BadWeights("a part of a tensor lies outside of it")
    return range(start, stop)
