"""The operations of TensorFlow's SavedModels, and the modules of TF-hub's first format, which are SavedModels too.

The messages are those of `saved_model.proto`, `graph.proto`, `function.proto` and `node_def.proto` in `tensorflow/core`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from thaw.backbones.converting.protobuf import messages
from thaw.foundation.errors import BadWeights

GRAPH = "saved_model.pb"
ASSETS = "assets"


@dataclass(frozen=True)
class Operation:
    """type: such as `StringSplitV2`. texts: by name, the strings that are given to it: its attributes, and constants among its inputs as `0`, `1` and so on.
    makers: the types of the operations that make its inputs, beyond conversions of their type."""

    type: str
    texts: Mapping[str, bytes]
    makers: Sequence[str]


def is_saved_model(folder: Path) -> bool:
    """Whether a folder is a SavedModel, or a module of TF-hub."""
    return (folder / GRAPH).is_file()


def read_operations(folder: Path) -> list[Operation]:
    """The operations of all graphs of a SavedModel, with those of its functions.

    Raises:
        BadWeights: the file is damaged.
    """
    path = folder / GRAPH
    try:
        return [operation for nodes in _node_lists(path.read_bytes()) for operation in _operations(nodes)]
    except (BadWeights, UnicodeDecodeError) as error:
        raise BadWeights(f"{path} is damaged ({error}); fetch it again") from error


def assets_in(folder: Path) -> list[Path]:
    """The files that a SavedModel brings, such as lists of words."""
    return sorted(path for path in (folder / ASSETS).glob("*") if path.is_file())


@dataclass(frozen=True)
class _Node:
    name: str
    type: str
    inputs: Sequence[str]
    texts: Mapping[str, bytes]


def _node_lists(saved_model: bytes) -> Iterator[list[_Node]]:
    for meta_graph in messages(saved_model, 2):
        for graph in messages(meta_graph, 2):
            yield [_node(node) for node in messages(graph, 1)]
            for library in messages(graph, 2):
                for function in messages(library, 1):
                    yield [_node(node) for node in messages(function, 3)]


def _node(message: bytes) -> _Node:
    texts: dict[str, bytes] = {}
    for attribute in messages(message, 5):
        for name, value in zip(messages(attribute, 1), messages(attribute, 2), strict=False):
            found = messages(value, 2) + [text for tensor in messages(value, 8) for text in messages(tensor, 8)]
            if found:
                texts[name.decode()] = found[0]
    names, kinds = messages(message, 1), messages(message, 2)
    inputs = [each.decode() for each in messages(message, 3)]
    return _Node(names[0].decode() if names else "", kinds[0].decode() if kinds else "", inputs, texts)


def _operations(nodes: Sequence[_Node]) -> Iterator[Operation]:
    by_name = {node.name: node for node in nodes}
    constants = {node.name: node.texts["value"] for node in nodes if node.type == "Const" and "value" in node.texts}
    for node in nodes:
        given = {
            str(place): constants[source.partition(":")[0]]
            for place, source in enumerate(node.inputs)
            if source.partition(":")[0] in constants
        }
        yield Operation(node.type, {**node.texts, **given}, [_maker(by_name, source) for source in node.inputs])


def _maker(nodes: Mapping[str, _Node], source: str) -> str:
    """The type of the operation that makes an input; empty for an argument of a function."""
    node = nodes.get(source.partition(":")[0])
    for _ in range(len(nodes)):
        if node is None or node.type not in ("Cast", "Identity"):
            break
        node = nodes.get(node.inputs[0].partition(":")[0]) if node.inputs else None
    return "" if node is None else node.type
