"""Units: the modules that form a network's stack, such as residual blocks and transformer layers."""

from collections.abc import Iterator

from torch import nn


def units_of(model: nn.Module, classifier: str, name: str = "") -> Iterator[str]:
    """The qualified names of the units in the module `name`, in order; `classifier` is the name of the network's classifier."""
    module = model.get_submodule(name)
    children = [(f"{name}.{child}" if name else child) for child, _ in module.named_children()]
    if children and _is_divided(model, name, classifier):
        for child in children:
            yield from units_of(model, classifier, child)
    else:
        yield name


def has_weights(module: nn.Module) -> bool:
    """Whether the module has more than scales and shifts, which are vectors."""
    return any(parameter.dim() > 1 for parameter in module.parameters())


def _is_divided(model: nn.Module, name: str, classifier: str) -> bool:
    """Whether the module's children are units, and not the module itself."""
    module = model.get_submodule(name)
    if name == "" or classifier.startswith(f"{name}."):
        return True
    if _is_chain(module):
        children = list(module.children())
        return len(children) == 1 or sum(map(has_weights, children)) > 1
    # An example is a transformer's encoder, which holds the stack of layers and little more.
    chains = [_size(child) for child in module.children() if _is_chain(child)]
    return "." not in name and max(chains, default=0) > _size(model) / 2


def _is_chain(module: nn.Module) -> bool:
    """Whether the module does nothing but run its children in order."""
    if isinstance(module, nn.ModuleList):
        return True
    return isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward


def _size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
