"""Architectures by name: torchvision's classification models, and Thaw's own small one."""

import difflib
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import torch
from torch import nn
from torchvision import models

from thaw.backbones.graph import trace
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
"""Other packages may bring architectures of their own: entry points of this group, `NAME = MODULE:BUILD`, where BUILD takes the number of classes."""


@cache
def _brought() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


@cache
def architecture_names() -> tuple[str, ...]:
    """Every name that `build` knows."""
    return (*OWN, *_brought(), *models.list_models(module=models))


def build(architecture: str, num_classes: int) -> nn.Module:
    """Build a randomly initialised model with a classifier for `num_classes` classes.

    Raises:
        BadParameters: no such architecture; the message names the closest ones.
    """
    if architecture not in architecture_names():
        near = difflib.get_close_matches(architecture, architecture_names(), n=5, cutoff=0.4)
        raise BadParameters(
            f"backbone.architecture: {architecture!r} is no torchvision classification model; similar names: {', '.join(near) or 'none'}"
        )
    if architecture in OWN:
        return OWN[architecture](num_classes)
    if architecture in _brought():
        brought: nn.Module = _brought()[architecture].load()(num_classes)
        return brought
    options: dict[str, object] = {"weights": None, "num_classes": num_classes}
    if architecture in ("googlenet", "inception_v3"):
        options["init_weights"] = True  # their default warns, and takes a minute to draw truncated normals
    model: nn.Module = models.get_model(architecture, **options)
    return model


def build_seeded(architecture: str, num_classes: int, seed: int) -> nn.Module:
    """`build`, with the random weights drawn from `seed` and the global generator left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build(architecture, num_classes)


def build_with_weights(architecture: str, tensors: Mapping[str, torch.Tensor]) -> nn.Module:
    """Build a model, take over `tensors`, and set it to frozen: eval mode, no gradients.

    Raises:
        BadWeights: the tensors do not fit the architecture.
    """
    model = _outline(architecture, _classes_in(architecture, tensors))
    try:
        model.load_state_dict(dict(tensors), strict=True, assign=True)
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip()[:200]
        raise BadWeights(
            f"the weights do not fit {architecture} ({first}); set backbone.architecture=auto to have it found"
        ) from error
    return model.eval().requires_grad_(False)


def build_with_part(architecture: str, tensors: Mapping[str, torch.Tensor]) -> nn.Module:
    """Build a frozen model that has these tensors; the others take no memory, on the device `meta`.

    Raises:
        BadWeights: the architecture has no such tensors.
    """
    model = _outline(architecture, 1000).to("meta")
    state = model.state_dict()
    if unknown := sorted(tensors.keys() - state.keys()):
        raise BadWeights(f"the weights do not fit {architecture}, which has no {unknown[0]}")
    state.update(tensors)
    try:
        model.load_state_dict(state, assign=True)
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip()[:200]
        raise BadWeights(f"the weights do not fit {architecture} ({first})") from error
    return model.eval().requires_grad_(False)


def infer_architecture(tensors: Mapping[str, torch.Tensor], weights: Path) -> str:
    """Find the architecture that has just these names and shapes; those named in the file's name are tried first.

    Raises:
        BadWeights: none fits.
    """
    for architecture in sorted(architecture_names(), key=lambda name: not _named_in(name, weights)):
        # RegNets need their memory to be built, up to gigabytes: they are found by the file's name only.
        skipped = architecture.startswith("regnet") and not _named_in(architecture, weights)
        if not skipped and _fits(_outline(architecture, 1000).state_dict(), tensors):
            return architecture
    raise BadWeights(
        f"{weights} fits none of torchvision's classification models; its tensors start with {next(iter(tensors))!r}"
    )


def _outline(architecture: str, num_classes: int) -> nn.Module:
    """The model without memory for its weights, where it can be built so."""
    if architecture.startswith("regnet"):  # computes its widths with tensors while it is built
        return build(architecture, num_classes)
    with torch.device("meta"):
        return build(architecture, num_classes)


def _fits(own: Mapping[str, torch.Tensor], given: Mapping[str, torch.Tensor]) -> bool:
    """The same names, and the same shapes but for the number of classes, which is the first dimension of the classifier."""
    return own.keys() == given.keys() and all(own[name].shape[1:] == given[name].shape[1:] for name in own)


def _named_in(architecture: str, weights: Path) -> bool:
    return _letters(weights.name).startswith(_letters(architecture))


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _classes_in(architecture: str, tensors: Mapping[str, torch.Tensor]) -> int:
    """The number of classes that the weights' classifier has; 1000 where the classifier is not found."""
    weight = f"{classifier_of(_outline(architecture, 1000))}.weight"
    return tensors[weight].shape[0] if weight in tensors else 1000


def classifier_of(model: nn.Module) -> str:
    """The qualified name of the last linear layer; of the last convolution where there is no linear layer (SqueezeNet)."""
    for kind in (nn.Linear, nn.Conv2d):
        names = [
            name for name, module in model.named_modules() if isinstance(module, kind) and not name.startswith("aux")
        ]
        if names:
            return str(names[-1])
    raise BadParameters(f"{type(model).__name__} has no linear layer to cut at; name the cut layer in backbone.layers")


def classifier_input(model: nn.Module) -> str:
    """The graph node whose output the classifier takes: the default cut layer."""
    nodes = list(trace(model).names.values())
    return nodes[nodes.index(classifier_of(model)) - 1]


def has_channels_last(model: nn.Module, layer: str) -> bool:
    """Whether a layer's maps are [B, H, W, C]: pooled like the others they would lose their channels in silence."""
    return isinstance(model, models.SwinTransformer) and layer.partition(".")[0] in {"features", "norm"}


def default_preprocessing(architecture: str, weights: Path) -> Preprocessing:
    """The preprocessing of the official weights that the file is named after, else of the architecture's first ones."""
    if architecture in OWN:
        return SMALL_PREPROCESSING
    if architecture in _brought():
        raise BadWeights(
            f"{weights} does not state the preprocessing of {architecture}; write it into the file's metadata"
        )
    official = models.get_model_weights(architecture)
    named = [entry for entry in official if weights.name.startswith(str(entry))]
    return preprocessing_of((named or list(official))[0].transforms())
