"""The networks of all providers, by the names of their architectures; a provider's module is imported where a name is its own."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from thaw.backbones.providers import hf_networks, timm_networks, xrv_networks
from thaw.kinds.kind import Preprocessing

_FAMILIES = (timm_networks, hf_networks)


def is_provided(architecture: str) -> bool:
    """Whether a name begins with the prefix of a provider."""
    return architecture.startswith(tuple(family.PREFIX for family in _FAMILIES))


def network_named(architecture: str, num_classes: int, *, drawn: bool = True) -> nn.Module | None:
    """The network with that name; None: it is of no provider. drawn: whether it has random weights; else they must be given.

    Raises:
        BadParameters: the provider has no such network.
    """
    built = (family.network_named(architecture, num_classes, drawn=drawn) for family in _FAMILIES)
    return next((network for network in built if network is not None), None)


def preprocessing_of(architecture: str) -> Preprocessing | None:
    """The preprocessing that the provider states for an architecture; None: it is of no provider that states one."""
    return timm_networks.preprocessing_of(architecture)


def preprocessing_in(tensors: Mapping[str, Tensor]) -> Preprocessing | None:
    """The preprocessing that a file's tensors tell by themselves; None: they tell none."""
    return xrv_networks.preprocessing_in(tensors)


TOLD = xrv_networks.TOLD
"""The note on weights whose preprocessing was told by their tensors."""


def adapted(architecture: str, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """A file's tensors by the rules of an architecture's provider, see `timm_networks.adapted`; those for other architectures are returned as they are."""
    return timm_networks.adapted(architecture, tensors)
