"""A network as a graph of operations; its nodes have torchvision's names."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from torch import fx, nn
from torchvision.models.feature_extraction import NodePathTracer, _set_default_tracer_kwargs


@dataclass(frozen=True)
class Untraced:
    """The parts of a network that run as they are written, each as one node: modules of these types, and these functions. A network states them in its
    attribute `untraced`."""

    modules: tuple[type[nn.Module], ...] = ()
    functions: tuple[Callable[..., Any], ...] = ()


@dataclass(frozen=True, eq=False)
class Traced:
    """The graph of one mode, training or evaluation; `names` has its nodes in the order in which they run."""

    graph: fx.Graph
    names: dict[fx.Node, str]

    def node(self, name: str) -> fx.Node:
        """The last node that has this name or lies below it, as in torchvision's extractors.

        Raises:
            KeyError: there is no such node.
        """
        for node, own in reversed(self.names.items()):
            if own == name or own.startswith(f"{name}."):
                return node
        raise KeyError(name)

    def needed_for(self, *ends: fx.Node, start: fx.Node | None = None) -> list[fx.Node]:
        """The ends and the nodes that they are computed from, in order, without nodes that only `start` needs."""
        needed, unseen = set(ends), list(ends)
        while unseen:
            node = unseen.pop()
            if node is not start:
                unseen += [each for each in node.all_input_nodes if each not in needed]
                needed.update(node.all_input_nodes)
        return [node for node in self.graph.nodes if node in needed]

    def part(self, end: fx.Node, start: fx.Node | None = None) -> fx.Graph:
        """The graph from the input, or from the output of `start`, to `end`, without other nodes."""
        part, copies = self._copied([end], start)
        part.output(copies[end])
        return part

    def part_to(self, names: Sequence[str]) -> fx.Graph:
        """The graph from the input to the nodes with these names; its output is a dictionary."""
        ends = {name: self.node(name) for name in names}
        part, copies = self._copied(list(ends.values()), None)
        part.output({name: copies[end] for name, end in ends.items()})
        return part

    def _copied(self, ends: Sequence[fx.Node], start: fx.Node | None) -> tuple[fx.Graph, dict[fx.Node, fx.Node]]:
        part, copies = fx.Graph(), dict[fx.Node, fx.Node]()
        for node in self.needed_for(*ends, start=start):
            copies[node] = part.placeholder("activation") if node is start else part.node_copy(node, copies.__getitem__)
        return part, copies


def trace(model: nn.Module, *, training: bool = False) -> Traced:
    """The graph of the model in the given mode; the model's own mode does not change. Nobody changes the graph: whoever asks again gets the same one."""
    parts = _parts_of(model)
    kept = _kept.setdefault(model, {})
    if training not in kept or kept[training][0] != parts:
        kept[training] = parts, _trace(model, training=training)
    return kept[training][1]


_Parts = tuple[tuple[str, int, int], ...]
_kept: WeakKeyDictionary[nn.Module, dict[bool, tuple[_Parts, Traced]]] = WeakKeyDictionary()
"""The graphs of the networks in use, by mode, each with the parts of its network. To split a network once asks for its graph eight times."""


def _parts_of(model: nn.Module) -> _Parts:
    """What the graph rests on: the modules, and the buffers with their versions, because a constant of the graph may be computed from a buffer."""
    modules = ((name, id(module), 0) for name, module in model.named_modules())
    return *modules, *((name, id(buffer), buffer._version) for name, buffer in model.named_buffers())


def _trace(model: nn.Module, *, training: bool) -> Traced:
    # These are torchvision's private settings; with others the nodes would have other names.
    untraced: Untraced = getattr(model, "untraced", Untraced())
    own = {"leaf_modules": list(untraced.modules), "autowrap_functions": untraced.functions}
    tracer = NodePathTracer(**_set_default_tracer_kwargs(own))
    usual = _usual_arguments(model)
    with _mode(model, training):
        graph = tracer.trace(model, concrete_args=usual or None)
    names = dict(tracer.node_to_qualname)
    given = [node for node in graph.nodes if node.op == "placeholder"]
    unused = dict.fromkeys(given[len(given) - len(usual) :])
    for node in graph.nodes:  # fx puts an assertion of the usual value behind each of these
        if any(each in unused for each in node.all_input_nodes):
            unused[node] = None
    for node in reversed(unused):
        graph.erase_node(node)
        names.pop(node, None)
    return Traced(graph, names)


def _arguments(model: nn.Module) -> list[inspect.Parameter]:
    return list(inspect.signature(model.forward).parameters.values())


def _usual_arguments(model: nn.Module) -> dict[str, Any]:
    """The arguments of a network that have a default, which stands for them in the graph; the examples are those without."""
    return {each.name: each.default for each in _arguments(model) if each.default is not inspect.Parameter.empty}


def input_dependent(nodes: Sequence[fx.Node]) -> list[fx.Node]:
    """The nodes, given in order, that depend on the input; the others are parameters and nodes that depend on parameters alone."""
    dependent: dict[fx.Node, None] = {}
    for node in nodes:
        if node.op == "placeholder" or any(each in dependent for each in node.all_input_nodes):
            dependent[node] = None
    return list(dependent)


@contextmanager
def _mode(model: nn.Module, training: bool) -> Iterator[None]:
    before = {module: module.training for module in model.modules()}
    model.train(training)
    try:
        yield
    finally:
        for module, was in before.items():
            module.training = was
