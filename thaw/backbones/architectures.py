"""Architectures by name: torchvision's classification models, Thaw's own small one, and families whose names state their sizes."""

import difflib
import re
from collections.abc import Callable, Collection, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import torch
from torch import nn
from torchvision import models

from thaw.backbones.encoders.families import FAMILIES
from thaw.backbones.graph import input_dependent, trace
from thaw.backbones.outline import Outline
from thaw.backbones.providers import networks as provided
from thaw.backbones.thaw_small import build_small_resnet
from thaw.foundation.errors import BadParameters, BadWeights
from thaw.kinds.images.preprocessing import Preprocessing as ImagePreprocessing
from thaw.kinds.images.preprocessing import preprocessing_of
from thaw.kinds.kind import Preprocessing

OWN: Mapping[str, Callable[[int], nn.Module]] = {"thaw_small": build_small_resnet}

SMALL_PREPROCESSING = ImagePreprocessing(
    resize=(32, 32), crop=None, interpolation="bilinear", mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25)
)


GROUP = "thaw.architectures"
"""The group of entry points by which other packages add architectures, `NAME = MODULE:BUILD`; BUILD takes the number of classes."""


@cache
def _brought() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


@cache
def architecture_names() -> tuple[str, ...]:
    """Every name that `build` knows."""
    return (*OWN, *_brought(), *models.list_models(module=models))


def build(architecture: str, num_classes: int, *, drawn: bool = True) -> nn.Module:
    """Build a randomly initialised model with a classifier for `num_classes` classes; drawn: False leaves out what takes time to draw.

    Raises:
        BadParameters: there is no such architecture; the message names similar ones.
    """
    if (network := provided.network_named(architecture, num_classes, drawn=drawn)) is not None:
        return network
    for network_named in FAMILIES:
        if (network := network_named(architecture, num_classes)) is not None:
            return network
    if architecture not in architecture_names():
        near = difflib.get_close_matches(architecture, architecture_names(), n=5, cutoff=0.4)
        raise BadParameters(
            f"backbone.architecture: {architecture!r} is no network of Thaw or torchvision; similar names: {', '.join(near) or 'none'}"
        )
    if architecture in OWN:
        return OWN[architecture](num_classes)
    if architecture in _brought():
        brought: nn.Module = _brought()[architecture].load()(num_classes)
        return brought
    options: dict[str, object] = {"weights": None, "num_classes": num_classes}
    if architecture in ("googlenet", "inception_v3"):
        options["init_weights"] = (
            True  # the default of these networks warns, and takes a minute to draw truncated normals
        )
    model: nn.Module = models.get_model(architecture, **options)
    return model


def build_seeded(architecture: str, num_classes: int, seed: int) -> nn.Module:
    """`build` with random weights drawn from `seed`; the global generator does not change."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build(architecture, num_classes)


def build_with_weights(architecture: str, tensors: Mapping[str, torch.Tensor]) -> nn.Module:
    """Build a frozen model with these tensors: it is in evaluation mode, and has no gradients.

    Raises:
        BadWeights: the tensors do not fit the architecture.
    """
    model = _blank(architecture, _classes_in(architecture, tensors))
    try:
        model.load_state_dict(dict(tensors), strict=True, assign=True)
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip()[:200]
        raise BadWeights(f"the weights do not fit {architecture} ({first})") from error
    return model.eval().requires_grad_(False)


def build_with_part(architecture: str, tensors: Mapping[str, torch.Tensor]) -> nn.Module:
    """Build a frozen model with these tensors; its other tensors take no memory, on the device `meta`.

    Raises:
        BadWeights: the architecture has no such tensors.
    """
    model = _blank(architecture, 1000)
    state = {name: tensor.to("meta") for name, tensor in model.state_dict().items()}
    if unknown := sorted(tensors.keys() - state.keys()):
        raise BadWeights(f"the weights do not fit {architecture}, which has no {unknown[0]}")
    state.update(tensors)
    try:
        model.load_state_dict(state, assign=True)
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip()[:200]
        raise BadWeights(f"the weights do not fit {architecture} ({first})") from error
    return model.eval().requires_grad_(False)


@cache
def outline_of(architecture: str) -> Outline:
    """The names and shapes of an architecture's tensors, for 1000 classes.

    Raises:
        BadParameters: there is no such architecture.
    """
    model = _outline(architecture, 1000)
    return Outline(
        architecture,
        {name: tensor.to("meta") for name, tensor in model.state_dict().items()},
        frozenset(name for name, _ in model.named_parameters()),
        classifier_of(model),
        tuple(name for name, _ in model.named_children()),
    )


def _blank(architecture: str, num_classes: int) -> nn.Module:
    """The model without weights of its own; what it computes while it is built, and holds in no file, is there."""
    if provided.is_provided(architecture):
        return build(architecture, num_classes, drawn=False)
    return _outline(architecture, num_classes)


def _outline(architecture: str, num_classes: int) -> nn.Module:
    """The model without memory for its weights, if it can be built in that way."""
    if architecture.startswith("regnet"):  # computes its widths with tensors while it is built
        return build(architecture, num_classes)
    with torch.device("meta"):
        return build(architecture, num_classes)


def is_named_in(architecture: str, weights: Path) -> bool:
    """Whether the file's name begins with the architecture's."""
    return _letters(weights.name).startswith(_letters(architecture))


def is_torchvisions(architecture: str) -> bool:
    """Whether torchvision has the architecture; Thaw or another package has the others."""
    return architecture in models.list_models(module=models)


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _classes_in(architecture: str, tensors: Mapping[str, torch.Tensor]) -> int:
    """The number of classes of the classifier in the weights; 1000 if the weights have no classifier of that name."""
    weight = f"{classifier_of(_outline(architecture, 1000))}.weight"
    return tensors[weight].shape[0] if weight in tensors else 1000


def classifier_of(model: nn.Module) -> str:
    """The qualified name of the last linear layer, or of the last convolution if there is no linear layer (SqueezeNet); a network may state it itself."""
    if (stated := getattr(model, "classifier_name", None)) is not None:
        return str(stated)
    for kind in (nn.Linear, nn.Conv2d):
        names = [
            name for name, module in model.named_modules() if isinstance(module, kind) and not name.startswith("aux")
        ]
        if names:
            return str(names[-1])
    raise BadParameters(f"{type(model).__name__} has no linear layer to cut at; name the cut layer in backbone.layers")


def classifier_input(model: nn.Module) -> str:
    """The graph node whose output is the classifier's input; it is the default cut layer."""
    traced, classifier = trace(model), classifier_of(model)
    nodes = input_dependent(list(traced.names))
    inside = next(node for node in nodes if f"{traced.names[node]}.".startswith(f"{classifier}."))
    given = next(node for node in inside.all_input_nodes if node in nodes)
    return traced.names[given]


def has_channels_last(model: nn.Module, layer: str) -> bool:
    """Whether a layer's maps are [B, H, W, C]; the pooling would average their channels."""
    stated: Collection[str] = getattr(model, "channels_last", ())
    if layer.partition(".")[0] in stated:
        return True
    return isinstance(model, models.SwinTransformer) and layer.partition(".")[0] in {"features", "norm"}


def default_preprocessing(architecture: str, weights: Path) -> Preprocessing:
    """The preprocessing of the official weights with the file's name, or else of the architecture's first official weights."""
    if architecture in OWN:
        return SMALL_PREPROCESSING
    if (stated := provided.preprocessing_of(architecture)) is not None:
        return stated
    if not is_torchvisions(architecture):
        raise BadWeights(
            f"{weights} does not state the preprocessing of {architecture}; write it into the file's metadata"
        )
    official = models.get_model_weights(architecture)
    named = [entry for entry in official if weights.name.startswith(str(entry))]
    return preprocessing_of((named or list(official))[0].transforms())
