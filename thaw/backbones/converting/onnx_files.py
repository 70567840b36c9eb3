"""ONNX files as data: the tensors that they hold, and the nodes that read them. Nothing is run.

Format: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from thaw.backbones.converting.protobuf import fields_of, integer, messages, varint
from thaw.foundation.errors import BadWeights

_FLOAT32 = 1
"""The number of the only data type that is read."""


@dataclass(frozen=True)
class Node:
    """An operation. inputs: names of tensors and of other nodes' outputs."""

    operation: str
    inputs: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Graph:
    """nodes: in the order in which they run. tensors: float32, by name; those of other types are left out."""

    nodes: tuple[Node, ...]
    tensors: Mapping[str, Tensor]


def read_graph(path: Path) -> Graph:
    """The graph of an ONNX file.

    Raises:
        BadWeights: the file is damaged, or no ONNX file with its tensors inside.
    """
    try:
        (graph,) = messages(path.read_bytes(), 7)
        nodes = tuple(_node(message) for message in messages(graph, 1))
        tensors = dict(_tensor(message) for message in messages(graph, 5) if integer(message, 2) == _FLOAT32)
    except (BadWeights, ValueError) as error:
        raise BadWeights(f"{path} is damaged, or no ONNX file ({error}); fetch it again") from error
    return Graph(nodes, tensors)


def _node(message: bytes) -> Node:
    names = tuple(name.decode() for name in messages(message, 1))
    return Node(b"".join(messages(message, 4)).decode(), names)


def _tensor(message: bytes) -> tuple[str, Tensor]:
    """A tensor by its name; its numbers are in the field 9 as bytes, or in the field 4."""
    name = b"".join(messages(message, 8)).decode()
    data = b"".join(messages(message, 9)) or b"".join(_floats(message))
    array = np.frombuffer(data, "<f4").astype(np.float32)
    return name, torch.from_numpy(array).reshape(_dimensions(message))


def _floats(message: bytes) -> list[bytes]:
    """The numbers of the field 4, each alone or all in one string."""
    return [
        value if isinstance(value, bytes) else value.to_bytes(4, "little")
        for number, value in fields_of(message)
        if number == 4
    ]


def _dimensions(message: bytes) -> list[int]:
    """The numbers of the field 1, each alone or all in one string."""
    found: list[int] = []
    for number, value in fields_of(message):
        if number != 1:
            continue
        if isinstance(value, int):
            found.append(value)
            continue
        place = 0
        while place < len(value):
            size, place = varint(value, place)
            found.append(size)
    return found
