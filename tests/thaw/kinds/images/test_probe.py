"""The probe notices what the preprocessing does to pixels, and nothing else."""

from dataclasses import replace

import pytest
import torch
from PIL import Image, ImageFile

from thaw.backbones.backbone import read_backbone
from thaw.kinds.images import decoding
from thaw.kinds.images.preprocessing import Preprocessing
from thaw.kinds.images.probe import PROBES, probe_digest
from thaw.params.sections import BackboneParams

PREPROCESSING = Preprocessing(256, 224, "bilinear", (0.5, 0.5, 0.5), (0.2, 0.2, 0.2))


def test_it_repeats_and_follows_the_geometry() -> None:
    assert probe_digest(PREPROCESSING) == probe_digest(PREPROCESSING)
    others = [
        replace(PREPROCESSING, resize=255),
        replace(PREPROCESSING, crop=220),
        replace(PREPROCESSING, interpolation="bicubic"),
    ]
    assert len({probe_digest(one) for one in (PREPROCESSING, *others)}) == 4


def test_a_library_that_changes_one_pixel_changes_the_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    backbone = read_backbone(BackboneParams(weights="data/pretrain/small.safetensors"))
    before = backbone.fingerprint("float32", "float32")
    assert backbone.fingerprint("float32", "float32") == before
    real = decoding.decode_image

    def altered(*arguments: object, **options: object) -> torch.Tensor:
        found: torch.Tensor = real(*arguments, **options)
        return found.bitwise_xor(1)

    monkeypatch.setattr(decoding, "decode_image", altered)
    assert backbone.fingerprint("float32", "float32") != before


def test_the_probes_cover_the_fast_way_and_pillows_with_transparency() -> None:
    with Image.open(PROBES[0]) as jpeg, Image.open(PROBES[1]) as png:
        assert (jpeg.format, jpeg.mode, png.format) == ("JPEG", "RGB", "PNG")
        assert png.has_transparency_data


def test_scaled_decoding_is_probed_on_a_picture_that_is_scaled(monkeypatch: pytest.MonkeyPatch) -> None:
    scaled = replace(PREPROCESSING, decoding="scaled")
    seen = []
    real = decoding.scaled_by

    def watched(opened: ImageFile.ImageFile, preprocessing: Preprocessing) -> int:
        seen.append(real(opened, preprocessing))
        return seen[-1]

    monkeypatch.setattr(decoding, "scaled_by", watched)
    before = probe_digest(scaled)
    assert max(seen) > 1
    monkeypatch.setattr(decoding, "scaled_by", lambda opened, preprocessing: 1)
    assert probe_digest(scaled) != before, "what scaled decoding does to pixels is in the key"
