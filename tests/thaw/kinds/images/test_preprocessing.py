"""Preprocessing equals torchvision's own, and survives JSON."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.models import MobileNet_V2_Weights, ResNet50_Weights, ViT_B_16_Weights

from thaw.kinds.images.preprocessing import Preprocessing, preprocessing_from_json, preprocessing_of

OFFICIAL = [
    MobileNet_V2_Weights.IMAGENET1K_V1,
    ResNet50_Weights.IMAGENET1K_V2,
    ViT_B_16_Weights.IMAGENET1K_SWAG_E2E_V1,
]


def picture(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize("weights", OFFICIAL, ids=str)
@pytest.mark.parametrize("size", [(300, 500), (500, 375), (40, 30), (224, 224)])
def test_it_equals_the_transforms_that_come_with_the_weights(weights: object, size: tuple[int, int]) -> None:
    transform = weights.transforms()  # type: ignore[attr-defined]
    image, ours = picture(*size), preprocessing_of(transform)
    assert torch.allclose(ours.normalise(ours.pixels(image)), transform(image), atol=1e-6)


def test_a_pair_forces_the_size() -> None:
    forced = Preprocessing((32, 48), None, "bilinear", (0.5,) * 3, (0.5,) * 3)
    assert forced.pixels(picture(8, 8)).shape == (3, 32, 48)
    assert forced.normalise(torch.tensor([[[0]], [[255]], [[255]]], dtype=torch.uint8)).flatten().tolist() == [-1, 1, 1]


@pytest.mark.parametrize("resize", [256, (32, 32)])
def test_json_and_back(resize: int | tuple[int, int]) -> None:
    one = Preprocessing(resize, None, "bicubic", (0.1, 0.2, 0.3), (1.0, 2.0, 3.0))
    assert preprocessing_from_json(one.to_json()) == one


def test_windows_are_part_of_its_json_and_none_leave_the_text_as_it_was() -> None:
    plain = Preprocessing(32, 32, "bilinear", (0.5,) * 3, (0.5,) * 3)
    assert "greys" not in plain.to_json()
    deep = plain.of_set('{"span": null, "top": 4095}')
    assert '"greys": {"span": null, "top": 4095}' in deep.to_json()  # the text of sets before windows
    windowed = deep.with_windows(((40.0, 400.0),))
    assert '"greys": {"span": null, "top": 4095, "windows": [[40.0, 400.0]]}' in windowed.to_json()
    for one in (plain, deep, windowed):
        assert preprocessing_from_json(one.to_json()) == one
    assert windowed.of_set(None).greys.windows == ((40.0, 400.0),)
