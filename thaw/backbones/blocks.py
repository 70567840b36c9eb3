"""Blocks: a network as a sequence of parts; it can be cut at the end of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import fx, nn

from thaw.backbones.architectures import classifier_input, classifier_of, has_channels_last
from thaw.backbones.graph import Traced, input_dependent, trace
from thaw.backbones.units import has_weights, units_of


@dataclass(frozen=True)
class Block:
    """A part of a network.

    output: the graph node at its end. All later nodes depend on the example through that node's output alone, so it can be a cut layer. modules: the qualified
    names of its modules that hold tensors, in the order in which they run. tensors: the names of all its parameters and buffers in the network's `state_dict`.
    """

    output: str
    modules: tuple[str, ...]
    tensors: tuple[str, ...]


def blocks_of(model: nn.Module) -> tuple[Block, ...]:
    """The network's blocks from its input to its classifier's input, where the last block ends; the classifier is in no block.

    Blocks form a network's stack: residual and inverted residual blocks, transformer layers, single convolutions in plain networks. A module without weights
    other than scales and shifts (batch normalisation, ReLU, pooling) belongs to the block before it. Tensors that the classifier's input does not depend on,
    such as those of auxiliary classifiers, are in no block.
    """
    traced = trace(model)
    last = traced.node(classifier_input(model))
    nodes = traced.needed_for(last)
    ends = [*_inner_ends(model, traced, input_dependent(nodes)), last]
    outputs = _outputs(model, traced, ends)
    return tuple(_block(model, *each) for each in zip(outputs, _segments(nodes, ends), strict=True))


def spread_layers(model: nn.Module, count: int = 5) -> tuple[str, ...]:
    """At most `count` cut layers at equal distances in blocks; the last layer is always the classifier's input. A network may state its cut layers itself.

    The blocks of a network cost about the same: on ResNet-18, MobileNetV2, ViT-B/16 and ConvNeXt-Tiny, at most 26% of the operations lie between two layers.
    With equal shares of the parameters, the first of five layers would come after up to 77% of the operations.
    """
    last = classifier_input(model)
    stated = [layer for layer in getattr(model, "cut_layers", ()) if layer != last]
    outputs = [*stated, last] if stated else [block.output for block in blocks_of(model)]
    usable = [output for output in outputs if output == last or not has_channels_last(model, output)]
    count = min(count, len(usable))
    return tuple(usable[round(place * len(usable) / count) - 1] for place in range(1, count + 1))


def _inner_ends(model: nn.Module, traced: Traced, path: Sequence[fx.Node]) -> Iterator[fx.Node]:
    """The last node of each block except the last, among the nodes that depend on the example."""
    units = _units_of_nodes(model, traced, path)
    position = {node: place for place, node in enumerate(path)}
    current, end, reach = None, None, 0
    for place, (node, unit) in enumerate(zip(path, units, strict=True)):
        if unit is not None and unit != current and has_weights(model.get_submodule(unit)):
            if end is not None:
                yield end
            current, end = unit, None
        is_last = unit is not None and units[place + 1 : place + 2] != [unit]
        # No later node uses an earlier one, so this node is the only way from the example to the later nodes.
        if is_last and current is not None and reach <= place and (end is None or units[place - 1] is not None):
            end = node  # but not beyond a node outside all units: a flattened map could not be pooled
        reach = max([reach, *(position[user] for user in node.users if user in position)])


def _units_of_nodes(model: nn.Module, traced: Traced, nodes: Sequence[fx.Node]) -> list[str | None]:
    """The unit of each node; None: it is in no unit, such as the operations of the network's own `forward`."""
    units = tuple(units_of(model, classifier_of(model)))

    def unit_of(node: fx.Node) -> str | None:
        name = str(node.target) if node.op == "call_module" else traced.names[node]
        return next((unit for unit in units if name == unit or name.startswith(f"{unit}.")), None)

    return [unit_of(node) for node in nodes]


def _segments(nodes: Sequence[fx.Node], ends: Sequence[fx.Node]) -> list[list[fx.Node]]:
    """The nodes of each block; a node that does not depend on the example, such as a parameter, belongs to the first block that uses it."""
    owner, number = dict[fx.Node, int](), 0
    for node in nodes:
        owner[node] = number
        number += node is ends[number]
    dependent = set(input_dependent(nodes))
    for node in reversed(nodes):
        if node not in dependent:
            owner[node] = min(owner[user] for user in node.users if user in owner)
    return [[node for node in nodes if owner[node] == each] for each in range(len(ends))]


def _outputs(model: nn.Module, traced: Traced, ends: Sequence[fx.Node]) -> Iterator[str]:
    """The names of the blocks' ends: the unit's name if the node is the end of a unit, else the node's name."""
    for end, unit in zip(ends, _units_of_nodes(model, traced, ends), strict=True):
        yield unit if unit is not None and traced.node(unit) is end else traced.names[end]


def _block(model: nn.Module, output: str, inside: Sequence[fx.Node]) -> Block:
    known = model.state_dict().keys()
    modules = [str(node.target) for node in inside if node.op == "call_module"]
    own = {name: tuple(model.get_submodule(name).state_dict()) for name in dict.fromkeys(modules)}
    bare = [str(node.target) for node in inside if node.op == "get_attr" and node.target in known]
    inner = [f"{name}.{tensor}" for name, tensors in own.items() for tensor in tensors]
    return Block(output, tuple(name for name, tensors in own.items() if tensors), tuple(dict.fromkeys([*bare, *inner])))
