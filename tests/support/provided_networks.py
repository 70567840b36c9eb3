"""Small random networks of timm and of transformers, one of each family, made by the libraries themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

import timm
import torch
from torch import nn
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_MAPPING

from thaw.backbones.architectures import classifier_input
from thaw.backbones.backbone import Backbone, _extractor
from thaw.backbones.providers.hf_networks import tower_of
from thaw.backbones.providers.timm_networks import prepared
from thaw.backbones.weights import digest_tensors
from thaw.kinds.images.preprocessing import Preprocessing

SIDE = 32
OF_TIMM: Mapping[str, Mapping[str, Any]] = {
    "vit_tiny_patch16_224": {"depth": 3, "embed_dim": 24, "num_heads": 2, "img_size": SIDE, "patch_size": 8},
    "vit_small_patch14_reg4_dinov2": {"depth": 3, "embed_dim": 24, "num_heads": 2, "img_size": SIDE, "patch_size": 8},
    "eva02_tiny_patch14_224": {"depth": 2, "embed_dim": 24, "num_heads": 2, "img_size": SIDE, "patch_size": 8},
    "vit_small_patch16_dinov3": {
        "depth": 2,
        "embed_dim": 32,
        "num_heads": 2,
        "img_size": SIDE,
        "patch_size": 8,
        "dynamic_img_size": False,
    },
    "vit_base_patch16_siglip_224": {"depth": 2, "embed_dim": 24, "num_heads": 2, "img_size": SIDE, "patch_size": 8},
    "convnext_atto": {"depths": (1, 1, 1, 1), "dims": (8, 12, 16, 20)},
    "resnet18": {"layers": (1, 1, 1, 1), "channels": (8, 12, 16, 20)},
}
"""Networks of timm, made small by its own options."""
TOWER: Mapping[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "image_size": SIDE,
    "patch_size": 8,
}
OF_HF: Mapping[str, Mapping[str, Any]] = {
    "vit": {},
    "deit": {},
    "ijepa": {},
    "dinov2": {},
    "dinov2_with_registers": {"num_register_tokens": 4},
    "dinov3_vit": {"num_register_tokens": 4},
    "clip_vision_model": {},
    "siglip_vision_model": {},
}
"""Types of transformers' towers, with what they need beside `TOWER`."""


def timm_network(name: str) -> nn.Module:
    """A network of timm with five classes, prepared."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network: nn.Module = timm.create_model(name, num_classes=5, **OF_TIMM[name])
        for parameter in network.parameters():  # scales of layers that begin at zero would hide errors
            parameter.data += 0.02 * torch.randn_like(parameter)
    return prepared(network.eval())


def hf_model(kind: str) -> Any:
    """transformers' own model of a type."""
    config = CONFIG_MAPPING[kind](**TOWER, **OF_HF[kind])
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = MODEL_MAPPING[type(config)](config).eval()
        for parameter in model.parameters():
            parameter.data += 0.02 * torch.randn_like(parameter)
    return model


def _tower(kind: str) -> nn.Module:
    model = hf_model(kind)
    return tower_of(model, model.config, 5).eval()


BUILDERS: Mapping[str, Callable[[], nn.Module]] = {
    **{f"timm/{name}": partial(timm_network, name) for name in OF_TIMM},
    **{f"hf/{kind}": partial(_tower, kind) for kind in OF_HF},
}


@cache
def small_backbone(name: str) -> Backbone:
    """One of `BUILDERS` as a backbone with its first and its last cut layer. It cannot be rebuilt by its name, which does not hold the options."""
    model = BUILDERS[name]().to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    half, digest = (0.5, 0.5, 0.5), digest_tensors(model.state_dict())
    preprocessing = Preprocessing(resize=SIDE, crop=SIDE, interpolation="bicubic", mean=half, std=half)
    layers = (model.cut_layers[0], classifier_input(model))
    return Backbone(name, preprocessing, layers, model, _extractor(model, layers), digest, digest)
