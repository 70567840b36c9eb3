"""Scaled decoding is compared with exact decoding on the user's own large images, with real weights."""

import io
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.features.extraction.decoding_check import SAMPLE, check_decoding
from thaw.foundation.errors import BadParameters
from thaw.foundation.files.atomic import digest_bytes
from thaw.foundation.parallel.memory_budget import MemoryBound
from thaw.kinds.images.reading import PixelSource
from thaw.kinds.kind import Reference
from thaw.params.sections import BackboneParams

SMALL = Path(__file__).parents[4] / "data/pretrain/small.safetensors"


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return read_backbone(BackboneParams(weights=str(SMALL), decoding="scaled"))


def source(backbone: Backbone) -> PixelSource:
    return PixelSource(backbone.preprocessing, 10**7, MemoryBound(10**9))


def written(folder: Path, pictures: list[Image.Image]) -> list[Reference]:
    found = []
    for number, image in enumerate(pictures):
        buffer, path = io.BytesIO(), folder / f"{number}.jpg"
        image.save(buffer, "JPEG")
        path.write_bytes(buffer.getvalue())
        found.append((digest_bytes(buffer.getvalue()), path))
    return found


def strokes(number: int, side: int) -> Image.Image:
    """Smooth strokes on white, as a large scan of a letter."""
    y, x = np.mgrid[0:side, 0:side] / side
    ring = np.abs(np.hypot(x - 0.3 - 0.04 * number, y - 0.5) - 0.2) < 0.06
    return Image.fromarray(np.where(ring, 0, 255).astype(np.uint8)).convert("RGB")


def test_large_images_are_compared_and_pass(
    backbone: Backbone, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    images = written(tmp_path, [strokes(number, 300) for number in range(10)])
    with caplog.at_level(logging.INFO):
        check_decoding(source(backbone), backbone, images)
    assert f"scaled decoding of {SAMPLE} large images: cosine" in caplog.text


def test_a_backbone_that_sees_single_pixels_is_refused(backbone: Backbone, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = (255 * rng.integers(0, 2, (300, 300), dtype=np.uint8) for _ in range(SAMPLE))
    images = written(tmp_path, [Image.fromarray(one).convert("RGB") for one in noise])
    nearest = replace(backbone.preprocessing, interpolation="nearest")
    with pytest.raises(BadParameters, match=r"set backbone\.decoding=exact"):
        check_decoding(replace(source(backbone), preprocessing=nearest), backbone, images)


def test_small_images_and_exact_decoding_cost_nothing(
    backbone: Backbone, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    exact = replace(source(backbone), preprocessing=replace(backbone.preprocessing, decoding="exact"))
    with caplog.at_level(logging.INFO):
        check_decoding(source(backbone), backbone, written(tmp_path, [strokes(number, 60) for number in range(4)]))
        check_decoding(exact, backbone, written(tmp_path, [strokes(number, 300) for number in range(4)]))
    assert not caplog.text


def test_real_photographs_pass(real_data: Path) -> None:
    weights = real_data / "mobilenet_v2-imagenet.pth"
    backbone = read_backbone(BackboneParams(weights=str(weights), decoding="scaled"))
    shrunk = replace(backbone.preprocessing, resize=90, crop=80)
    files = sorted((real_data / "hymenoptera/val").rglob("*.jp*g"))[:24]
    images = [(digest_bytes(file.read_bytes()), file) for file in files]
    check_decoding(PixelSource(shrunk, 10**8, MemoryBound(10**9)), replace(backbone, preprocessing=shrunk), images)
