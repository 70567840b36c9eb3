"""Prices of deployed models."""

import torch

from thaw.backbones.architectures import build_seeded
from thaw.backbones.backbone import read_backbone
from thaw.models.prices import price_models
from thaw.params.sections import BackboneParams
from thaw.params.values.strategy import Strategy


def test_a_cut_is_smaller_and_faster_and_an_mlp_larger() -> None:
    backbone = read_backbone(BackboneParams(weights="data/pretrain/small.safetensors", layers=("layer1.0", "flatten")))
    pixels = torch.zeros(16, 3, 32, 32, dtype=torch.uint8)
    price = price_models(backbone, backbone.layers, pixels, classes=10, hidden=(256,))
    linear, cut, mlp = (
        price(Strategy(kind, layer)) for kind, layer in (("linear", "flatten"), ("cut", "layer1.0"), ("mlp", "flatten"))
    )
    whole = sum(one.numel() for one in build_seeded("thaw_small", 10, 0).state_dict().values()) * 4 / 1e6
    assert abs(linear.megabytes - whole) < 0.01 * whole
    assert cut.megabytes < 0.2 * linear.megabytes < linear.megabytes < mlp.megabytes
    assert cut.images_per_second is not None and linear.images_per_second is not None
    assert cut.images_per_second > 1.2 * linear.images_per_second
