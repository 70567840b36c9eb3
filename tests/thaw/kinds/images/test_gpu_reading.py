"""Batches that a device decodes hold what the plain way gives, whatever it refuses; on a GPU, within the tolerance of features."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from pictures import encoded, picture
from PIL import Image
from torchvision.io import ImageReadMode, decode_jpeg

from thaw.backbones.backbone import read_backbone
from thaw.backbones.engines import Work
from thaw.backbones.engines.reference import deviation, reference_features
from thaw.backbones.engines.tolerances import TOLERANCES
from thaw.features.extraction.fastest_reader import fastest_reader
from thaw.foundation.errors import BadExample, BadSource
from thaw.foundation.files.atomic import digest_bytes
from thaw.foundation.parallel.memory_budget import MemoryBound
from thaw.kinds.batches import tensor_of
from thaw.kinds.images.gpu_reading import GpuPixelSource
from thaw.kinds.images.kind import KIND
from thaw.kinds.images.preprocessing import Preprocessing
from thaw.kinds.images.reading import PixelSource
from thaw.kinds.kind import Reader, Reference
from thaw.kinds.views import expand_views
from thaw.params.sections import BackboneParams

VIEWS = expand_views(["hflip", "five_crop"], KIND)
PREPROCESSING = Preprocessing(64, 56, "bilinear", (0.5, 0.5, 0.5), (0.2, 0.2, 0.2))
PLAIN = PixelSource(PREPROCESSING, 10**6, MemoryBound(10**6))
CPU = torch.device("cpu")
"""The same code runs there, with the plain way's own decoder: what it gives can be compared to the bit."""
SMALL = BackboneParams(weights="data/pretrain/small.safetensors")


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(picture(), "JPEG", exif=exif)


@pytest.fixture
def images(tmp_path: Path) -> list[Reference]:
    """Every kind of file between files that the device takes."""
    kinds = [
        encoded(picture(), "JPEG"),
        encoded(picture(120, 90), "PNG"),
        encoded(picture(200, 130), "JPEG", progressive=True),
        encoded(picture().convert("CMYK"), "JPEG"),
        encoded(picture().convert("L"), "JPEG"),
        turned(),
        encoded(picture(90, 160), "JPEG", quality=95, subsampling=0),
    ]
    return [written(tmp_path, f"{number}", content) for number, content in enumerate(kinds)]


def written(folder: Path, name: str, content: bytes) -> Reference:
    path = folder / name
    path.write_bytes(content)
    return digest_bytes(content), path


def pixels(reader: Reader, images: Sequence[Reference]) -> torch.Tensor:
    return tensor_of(reader.read(images, ("identity",))["identity"])


def same(found: dict[str, torch.Tensor], images: Sequence[Reference]) -> bool:
    expected = PLAIN.read(images, VIEWS)
    return list(found) == list(expected) and all(torch.equal(found[view], expected[view]) for view in VIEWS)


def test_all_kinds_of_files_come_in_order_in_every_view(images: list[Reference]) -> None:
    source = GpuPixelSource(PLAIN, CPU)
    assert same(source.read(images, VIEWS), images)
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda start: same(source.read(images[start:], VIEWS), images[start:]), range(6)))
    assert torch.equal(pixels(source, images[1:2]), pixels(PLAIN, images[1:2])), "none for the device"


def test_what_the_device_refuses_is_decoded_the_plain_way(
    images: list[Reference], monkeypatch: pytest.MonkeyPatch
) -> None:
    alone: list[int] = []

    def picky(encoded: list[torch.Tensor], mode: ImageReadMode, device: torch.device) -> list[torch.Tensor]:
        """As nvJPEG: one file that it refuses fails its whole batch."""
        found = list(decode_jpeg(encoded, mode, device))
        if any(one.shape[2] == 200 for one in found):
            raise RuntimeError("nvjpegDecode failed: unsupported")
        alone.append(len(encoded))
        return found

    monkeypatch.setattr("thaw.kinds.images.gpu_reading.decode_jpeg", picky)
    assert same(GpuPixelSource(PLAIN, CPU).read(images, VIEWS), images)
    assert alone == [1, 1], "the other two of the batch, each by itself"


def test_damaged_changed_and_gone_images_are_named(images: list[Reference], tmp_path: Path) -> None:
    source = GpuPixelSource(PLAIN, CPU)
    torn = written(tmp_path, "torn", encoded(picture(), "JPEG")[:-200])
    with pytest.raises(BadExample, match="truncated"):
        source.read([*images, torn])
    with pytest.raises(BadSource, match="changed since it was ingested"):
        source.read([(b"0" * 32, images[0][1])])
    images[0][1].unlink()
    with pytest.raises(BadSource, match="cannot be read now"):
        source.read(images)


def test_scaled_decoding_stays_as_it_is(tmp_path: Path) -> None:
    large = [written(tmp_path, "large", encoded(picture(600, 500), "JPEG"))]
    scaled = PixelSource(replace(PREPROCESSING, decoding="scaled"), 10**6, MemoryBound(10**6))
    assert torch.equal(pixels(GpuPixelSource(scaled, CPU), large), pixels(scaled, large))
    assert not torch.equal(pixels(scaled, large), pixels(PLAIN, large))


def test_without_a_gpu_nothing_is_tried(images: list[Reference]) -> None:
    assert fastest_reader(PLAIN, read_backbone(SMALL), "bfloat16", images * 10, Work(70, 1, CPU)) is PLAIN


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no NVIDIA GPU")
def test_on_a_gpu_features_are_within_tolerance(tmp_path: Path) -> None:
    backbone = read_backbone(SMALL)
    plain = PixelSource(backbone.preprocessing, 10**6, MemoryBound(10**6))
    source = GpuPixelSource(plain, torch.device("cuda"))
    files = [encoded(picture(150 + number, 100), "JPEG") for number in range(40)]
    images = [written(tmp_path, f"{number}", content) for number, content in enumerate(files)]
    found = pixels(source, images)
    assert found.is_cuda and (found.cpu().int() - pixels(plain, images).int()).abs().float().mean() < 2
    chosen = fastest_reader(plain, backbone, "bfloat16", images, Work(40, 1, torch.device("cuda")))
    features = [reference_features(pixels(reader, images), backbone) for reader in (chosen, plain)]
    assert all(TOLERANCES["bfloat16"].allows(deviation(*(one[name] for one in features))) for name in backbone.layers)
