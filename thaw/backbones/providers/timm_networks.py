"""Networks of timm by name, as timm builds them: `timm/NAME`, `timm/NAME.TAG`, and `@SIZE` behind either.

Wightman, "PyTorch Image Models", 2019. Cut layers are timm's own: the modules whose outputs its `forward_intermediates` returns.
"""

from __future__ import annotations

import difflib
import math
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from thaw.backbones.graph import Untraced
from thaw.backbones.providers.packages import package
from thaw.backbones.providers.undrawn import Undrawn
from thaw.backbones.tokens import Tokens
from thaw.foundation.errors import BadParameters
from thaw.kinds.images.preprocessing import Preprocessing

PREFIX = "timm/"
_NAME = re.compile(r"(?P<network>[\w.-]+?)(?:@(?P<side>\d+))?")
_SMALLER = {"dinov2": 224}
"""The side of inputs, for networks that saw a larger size in the last steps of their training alone: Oquab et al., "DINOv2", TMLR 2024, section 4."""


@dataclass(frozen=True)
class Asked:
    """network: timm's name, with or without a tag. side: of the square input in pixels; None: the usual one."""

    network: str
    side: int | None = None


def asked_in(name: str) -> Asked:
    """The parts of a name behind the prefix.

    Raises:
        BadParameters: timm has no such network; the message names similar names.
    """
    timm = package("timm", "timm")
    found = _NAME.fullmatch(name)
    if found is None or not timm.is_model(found["network"]):
        near = difflib.get_close_matches(name, [*timm.list_models(), *timm.list_pretrained()], n=5, cutoff=0.4)
        similar = ", ".join(f"{PREFIX}{each}" for each in near) or "none"
        raise BadParameters(f"backbone.weights: timm has no network {name!r}; similar names: {similar}")
    return Asked(found["network"], int(found["side"]) if found["side"] else None)


def config_of(network: str) -> Any:
    """timm's own description of a network's weights, its `PretrainedCfg`.

    Raises:
        BadParameters: timm has no weights with that tag.
    """
    timm = package("timm", "timm")
    try:
        config = timm.models.get_pretrained_cfg(network)
    except RuntimeError as error:
        base = timm.models.split_model_name_tag(network)[0]
        tags = ", ".join(f"{PREFIX}{each}" for each in timm.list_pretrained(f"{base}.*"))
        raise BadParameters(
            f"backbone.weights: timm has no weights {network!r}; there are {tags or 'none of this network'}"
        ) from error
    if config is None:
        raise BadParameters(f"backbone.weights: timm does not describe {network!r}; choose another network")
    return config


def side_of(asked: Asked) -> int:
    """The side of the square input in pixels.

    Raises:
        BadParameters: the network takes inputs that are not square.
    """
    if asked.side is not None:
        return asked.side
    _, height, width = map(int, config_of(asked.network).input_size)
    if height != width:
        raise BadParameters(
            f"backbone.weights: {PREFIX}{asked.network} takes inputs of {height} x {width}; choose a network with square inputs"
        )
    return min([height, *(side for word, side in _SMALLER.items() if word in asked.network)])


def network_named(architecture: str, num_classes: int, *, drawn: bool = True) -> nn.Module | None:
    """The network with that name; None: the name is of another family. drawn: whether it has random weights; else they must be given.

    Raises:
        BadParameters: timm has no such network, or it takes no inputs of that size.
    """
    if not architecture.startswith(PREFIX):
        return None
    asked = asked_in(architecture.removeprefix(PREFIX))
    timm = package("timm", "timm")
    try:
        context: AbstractContextManager[object] = nullcontext() if drawn else Undrawn()
        with context:
            network: nn.Module = timm.create_model(asked.network, num_classes=num_classes, **options_of(asked))
    except (AssertionError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else "its parts do not fit that size"
        raise BadParameters(
            f"backbone.weights: {architecture} takes no inputs of {side_of(asked)} pixels ({reason})"
        ) from error
    return prepared(network)


@cache
def options_of(asked: Asked) -> Mapping[str, int | bool]:
    """timm's options for the size of the input; none for networks that take any size.

    Positions of a network that would find them for each input anew are found once, so its parts depend on no size of an input that they do not see.
    """
    if not config_of(asked.network).fixed_input_size:
        return {}
    sized: dict[str, int | bool] = {"img_size": side_of(asked)}
    with torch.device("meta"):
        outline = package("timm", "timm").create_model(asked.network, **sized)
    patch = getattr(getattr(outline, "patch_embed", None), "patch_size", None)
    if patch is not None and sized["img_size"] % patch[0]:
        raise ValueError(f"the size must be a multiple of {patch[0]}")
    return {**sized, "dynamic_img_size": False} if getattr(outline, "dynamic_img_size", False) else sized


def prepared(network: nn.Module) -> nn.Module:
    """The network with what other code asks of it: its classifier, its cut layers, its tokens, and what cannot be traced.

    Raises:
        BadParameters: it has no classifier that is a single linear layer.
    """
    features = package("timm.models._features_fx", "timm")
    own = _as_written(network)
    own.classifier_name = _classifier(network)
    own.untraced = Untraced(tuple(features.get_notrace_modules()), tuple(features.get_notrace_functions()))
    own.tokens = _tokens(network)
    own.channels_last = _channels_last(network)
    own.cut_layers = tuple(_cut_layers(network))
    return network


def _as_written(network: nn.Module) -> Any:
    """The network, whose attributes torch's types take for tensors and modules."""
    return network


def _classifier(network: nn.Module) -> str:
    head = _as_written(network).get_classifier()
    if isinstance(head, tuple):  # two heads of distilled networks
        head = head[0]
    names = [name for name, module in network.named_modules() if module is head]
    if not names or not isinstance(head, nn.Linear | nn.Conv2d):
        raise BadParameters(
            f"backbone.weights: {type(network).__name__} of timm has no single linear layer as its classifier; choose another network"
        )
    return str(names[0])


def _cut_layers(network: nn.Module) -> list[str]:
    """The modules whose outputs `forward_intermediates` returns, in order."""
    known = {name for name, _ in network.named_modules()}
    return [each["module"] for each in getattr(network, "feature_info", ()) if each["module"] in known]


def _channels_last(network: nn.Module) -> tuple[str, ...]:
    """The top modules whose outputs are maps [B, H, W, C]."""
    stated = getattr(network, "output_fmt", "NCHW") == "NHWC"
    return tuple(name for name, _ in network.named_children() if not name.startswith("head")) if stated else ()


def _tokens(network: nn.Module) -> Tokens | None:
    prefix = getattr(network, "num_prefix_tokens", None)
    if prefix is None:
        return None
    return Tokens(int(prefix), has_class=getattr(network, "cls_token", None) is not None)


def preprocessing_of(architecture: str) -> Preprocessing | None:
    """The preprocessing that timm states; None: the name is of another family.

    Raises:
        BadParameters: timm states one that Thaw has not.
    """
    if not architecture.startswith(PREFIX):
        return None
    asked = asked_in(architecture.removeprefix(PREFIX))
    config, side = config_of(asked.network), side_of(asked)
    if config.crop_mode == "border":
        raise BadParameters(
            f"backbone.weights: {architecture} was trained on inputs with borders, which Thaw does not add; choose another network"
        )
    enlarged = math.floor(side / config.crop_pct)
    return Preprocessing(
        resize=(enlarged, enlarged) if config.crop_mode == "squash" else enlarged,
        crop=side,
        interpolation=config.interpolation if config.interpolation in ("bilinear", "nearest") else "bicubic",
        mean=_three(config.mean),
        std=_three(config.std),
    )


def _three(values: tuple[float, ...]) -> tuple[float, float, float]:
    first, second, third = (*values, *values, *values)[:3]
    return first, second, third


def adapted(architecture: str, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """A file's tensors under the names and the sizes of a network: timm's own rules for files of the network's authors, and positions for another size.

    Tensors for another family are returned as they are.
    """
    if not architecture.startswith(PREFIX):
        return tensors
    asked = asked_in(architecture.removeprefix(PREFIX))
    timm = package("timm", "timm")
    module = sys.modules[timm.model_entrypoint(timm.models.split_model_name_tag(asked.network)[0]).__module__]
    rule: Callable[..., Mapping[str, Tensor]] | None = getattr(module, "checkpoint_filter_fn", None)
    if rule is None:
        return tensors
    network = network_named(architecture, 1000, drawn=False)
    try:
        with torch.no_grad():
            return {name: tensor.detach() for name, tensor in rule(dict(tensors), network).items()}
    except (KeyError, RuntimeError, ValueError, AttributeError, AssertionError, TypeError):
        return tensors  # they are of another network, which is said where they are matched
