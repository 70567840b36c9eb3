"""Vision towers of transformers by names that state their settings: `hf/dinov2?hidden_size=384&num_hidden_layers=12`; settings that are not named are usual."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from torch import nn

from thaw.backbones.providers.packages import package
from thaw.backbones.providers.undrawn import Undrawn
from thaw.foundation.errors import BadParameters, BadWeights

if TYPE_CHECKING:
    from thaw.backbones.providers.hf_towers import Joint

PREFIX = "hf/"
_EXTRA = "hf"
_UNUSED = frozenset(
    (
        "apply_layernorm",
        "architectures",
        "attention_dropout",
        "attention_probs_dropout_prob",
        "classifier_dropout",
        "drop_path_rate",
        "dropout",
        "dtype",
        "encoder_stride",
        "hidden_dropout_prob",
        "id2label",
        "initializer_factor",
        "initializer_range",
        "label2id",
        "layerdrop",
        "model_type",
        "num_labels",
        "output_attentions",
        "output_hidden_states",
        "pooler_act",
        "pooler_output_size",
        "pos_embed_jitter",
        "pos_embed_rescale",
        "pos_embed_shift",
        "problem_type",
        "projection_dim",
        "reshape_hidden_states",
        "return_dict",
        "semantic_loss_ignore_index",
        "torch_dtype",
        "transformers_version",
        "use_mask_token",
    )
)
"""Settings that change no number of a frozen network."""
_JOINT = "joint"
"""The setting of a tower that has learnt beside texts: the number of dimensions of the place that both share."""


def architecture_of(config: Any, joint: int | None = None) -> str:
    """The name of a network with these settings (transformers' configuration). joint: the dimensions that it shares with texts; None: it shares none."""
    usual = type(config)().to_dict()
    settings = {
        name: json.dumps(value)
        for name, value in sorted(config.to_diff_dict().items())
        if name not in _UNUSED and value != usual.get(name) and isinstance(value, bool | int | float | str)
    }
    settings |= {} if joint is None else {_JOINT: json.dumps(joint)}
    return f"{PREFIX}{config.model_type}" + (f"?{urlencode(settings)}" if settings else "")


def joint_of(architecture: str) -> int | None:
    """See `architecture_of`.

    Raises:
        BadParameters: the number of dimensions is none.
    """
    stated = dict(parse_qsl(architecture.partition("?")[2])).get(_JOINT)
    if stated is None:
        return None
    if not stated.isdecimal() or int(stated) < 1:
        raise BadParameters(f"backbone.architecture: {_JOINT}={stated} is no number of dimensions")
    return int(stated)


def config_of(architecture: str) -> Any:
    """The inverse of `architecture_of`.

    Raises:
        BadParameters: transformers has no such network, or it does not take these settings.
    """
    from thaw.backbones.providers.hf_towers import FAMILIES

    kind, _, settings = architecture.removeprefix(PREFIX).partition("?")
    if kind not in FAMILIES:
        raise BadParameters(
            f"backbone.architecture: {kind!r} is no vision tower of transformers that is read; these are: {', '.join(FAMILIES)}"
        )
    auto = package("transformers.models.auto.configuration_auto", _EXTRA)
    refused: type[Exception] = package("huggingface_hub.errors", _EXTRA).StrictDataclassError
    try:
        pairs = parse_qsl(settings, strict_parsing=bool(settings))
        values = {name: json.loads(value) for name, value in pairs if name != _JOINT}
        return auto.CONFIG_MAPPING[kind](**values, **_frozen(kind))
    except (ValueError, TypeError, refused) as error:
        raise BadParameters(
            f"backbone.architecture: transformers refuses {architecture} ({str(error).splitlines()[0]})"
        ) from error


def _frozen(kind: str) -> dict[str, Any]:
    """Settings that move no places at random in training."""
    return {"pos_embed_rescale": None} if kind == "dinov3_vit" else {}


def network_named(architecture: str, num_classes: int, *, drawn: bool = True) -> nn.Module | None:
    """The network with that name; None: the name is of another family. drawn: whether it has random weights; else they must be given.

    Raises:
        BadParameters: transformers has no such network.
    """
    if not architecture.startswith(PREFIX):
        return None
    config = config_of(architecture)
    context: AbstractContextManager[object] = nullcontext() if drawn else Undrawn()
    with context:
        return tower_of(model_of(config), config, num_classes, joint_of(architecture))


def model_of(config: Any) -> nn.Module:
    """transformers' own model with random weights, in evaluation mode."""
    modeling = package("transformers.models.auto.modeling_auto", _EXTRA)
    model: nn.Module = modeling.AutoModel.from_config(config)
    return model.eval()


def tower_of(model: nn.Module, config: Any, num_classes: int, joint: int | Joint | None = None) -> nn.Module:
    """transformers' model as a chain, see `thaw.backbones.providers.hf_towers.Tower`. joint: its last module, or the dimensions of one without weights.

    Raises:
        BadWeights: it is of another type than those that are read.
    """
    from thaw.backbones.providers.hf_towers import FAMILIES, Tower, blank_joint

    family = FAMILIES.get(config.model_type)
    if family is None:
        raise BadWeights(
            f"a network of the type {config.model_type} is no vision tower that is read; these are: {', '.join(FAMILIES)}"
        )
    last = blank_joint(family, config, joint) if isinstance(joint, int) else joint
    return Tower(model, family, config, num_classes, last)
