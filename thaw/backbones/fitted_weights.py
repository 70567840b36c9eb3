"""Weights on an architecture that is named or found: the closest one and its first differences are told if none fits."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch

from thaw.backbones.architectures import architecture_names, is_named_in, is_torchvisions, outline_of
from thaw.backbones.matching import is_exact, match, unwrapped
from thaw.backbones.outline import Fitted, Misfit
from thaw.backbones.providers.networks import adapted, is_provided
from thaw.foundation.errors import BadWeights

_TELL_TALES = (
    ("layer1.0.conv1", "resne"),
    ("encoder_layer_0", "vit_"),
    ("denseblock1", "densenet"),
    ("Mixed_5b", "inception"),
    ("inception3a", "googlenet"),
    ("relative_position_bias_table", "swin"),
    ("cpb_mlp", "swin_v2"),
    ("layer_scale", "convnext"),
    ("squeeze.weight", "squeezenet"),
    ("stage2.", "shufflenet"),
    ("grid_attention", "maxvit"),
    ("layers.14", "mnasnet"),
    (".block.0.0.", "mobilenet_v3"),
    (".conv.0.0.", "mobilenet_v2"),
)
"""Parts of tensors' names, and of the names of the architectures that have them; these are tried first."""
_UNCHANGED = "save the `state_dict()` of an unchanged network of torchvision, or choose other weights"


def fit_weights(tensors: Mapping[str, torch.Tensor], weights: Path, architecture: str | None = None) -> Fitted:
    """The tensors under the names of an architecture: of the given one, else of the first that they fit, exactly if there is one.

    Architectures that the file's name mentions are tried first.

    Raises:
        BadWeights: they fit none; the message has the closest architecture and the first three tensors that differ.
        BadParameters: there is no such architecture.
    """
    if architecture is None:
        fitted = _infer(tensors, weights)
        if isinstance(fitted, Fitted):
            return fitted
        raise BadWeights(
            f"{weights} fits none of the {len(architecture_names())} architectures; {_closest(fitted, tensors)}"
        )
    matched = match(outline_of(architecture), adapted(architecture, tensors))
    if isinstance(matched, Fitted):
        return matched
    raise BadWeights(f"{weights} does not fit {architecture}: {matched}; {_other(tensors, weights, architecture)}")


def _other(tensors: Mapping[str, torch.Tensor], weights: Path, architecture: str) -> str:
    """What to do about weights that do not fit the named architecture."""
    if is_provided(architecture):
        return "name the network that they are of in backbone.architecture"
    found = _infer(tensors, weights)
    if isinstance(found, Fitted):
        return f"they are of {found.architecture}: set backbone.architecture=auto"
    if found is not None and found.architecture == architecture:  # what differs has been told
        return f"no other architecture is closer; {_UNCHANGED}"
    return f"they fit no other architecture either; {_closest(found, tensors)}"


def _closest(misfit: Misfit | None, tensors: Mapping[str, torch.Tensor]) -> str:
    if misfit is None or not misfit.likeness:
        return f"no architecture has tensors of these names, which start with {next(iter(tensors))!r}"
    return f"the closest is {misfit.architecture}, where {misfit}; {_UNCHANGED}"


def _infer(tensors: Mapping[str, torch.Tensor], weights: Path) -> Fitted | Misfit | None:
    """An exact fit, else one up to prefixes and heads, else the closest architecture; None if there is none to compare with."""
    closest: Misfit | None = None
    for names in _in_order(tensors, weights):
        outlines = [outline_of(name) for name in names]
        for outline in outlines:
            if is_exact(outline, tensors):
                return Fitted(outline.architecture, tensors)
        for outline in outlines:
            matched = match(outline, tensors)
            if isinstance(matched, Fitted):
                return matched
            if closest is None or matched.likeness > closest.likeness:
                closest = matched
    return closest


def _in_order(tensors: Mapping[str, torch.Tensor], weights: Path) -> Iterator[list[str]]:
    """The architectures' names in two lists, the likely ones first. RegNets take gigabytes to outline, so only the file's name tells them."""
    joined = "\n".join(map(unwrapped, tensors))
    told = tuple(family for part, family in _TELL_TALES if part in joined)
    named = [name for name in architecture_names() if is_named_in(name, weights)]
    others = [name for name in architecture_names() if name not in named and not name.startswith("regnet")]
    likely = [name for name in others if not is_torchvisions(name) or any(family in name for family in told)]
    yield [*named, *likely]
    yield [name for name in others if name not in likely]
