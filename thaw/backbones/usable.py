"""Weights that load and are of no use: layers without tensors, numbers that are none, networks of zeros."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from thaw.backbones.graph import trace
from thaw.backbones.outline import Fitted
from thaw.foundation.errors import BadWeights


def refuse_useless(model: nn.Module, needed: Mapping[str, torch.Tensor], fitted: Fitted, weights: Path) -> None:
    """Check the tensors that a backbone's layers need. model: whole. needed: by name.

    Raises:
        BadWeights: the file lacks some of them, or they hold NaN or infinite numbers, or nothing but zeros.
    """
    if lacking := sorted(name for name in needed.keys() & fitted.blank if needed[name].is_floating_point()):
        raise BadWeights(f"{weights} has no `{lacking[0]}`, which backbone.layers needs{_instead(model, fitted.blank)}")
    parameters = {name for name, _ in model.named_parameters()}
    for name, tensor in needed.items():
        if (wrong := _wrong(tensor, parameter=name in parameters)) is not None:
            raise BadWeights(
                f"{weights}: `{name}` holds {wrong}, so every feature would be NaN; take an earlier checkpoint of that training"
            )
    matrices = [tensor for name, tensor in needed.items() if name in parameters and tensor.dim() > 1]
    if matrices and not any(bool(tensor.any()) for tensor in matrices):
        raise BadWeights(f"{weights} holds nothing but zeros; it was saved before its weights were loaded or trained")


def _wrong(tensor: torch.Tensor, *, parameter: bool) -> str | None:
    """What is wrong with a tensor's numbers, in words; a buffer may hold infinity, such as a mask."""
    if not tensor.is_floating_point():
        return None
    bad = ~tensor.isfinite() if parameter else tensor.isnan()
    if not (count := int(bad.sum())):
        return None
    return f"NaN or infinite numbers ({'all' if count == tensor.numel() else f'{count:,} of'} {tensor.numel():,})"


def _instead(model: nn.Module, blank: frozenset[str]) -> str:
    """A sentence's end with the last layer before the tensors that are missing; empty if there is none."""
    modules = tuple(f"{name.rpartition('.')[0]}." for name in blank)
    nodes = list(trace(model).names.values())
    first = next((place for place, node in enumerate(nodes) if f"{node}.".startswith(modules)), 0)
    return f"; set backbone.layers=[{nodes[first - 1]}], the last layer before it" if first > 1 else ""
