"""Pixels are those of the images that were ingested, or there are none."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from thaw.dataset.ingestion import ingest
from thaw.dataset.manifest import Example, references_of
from thaw.foundation.errors import BadSource
from thaw.kinds.images.preprocessing import Preprocessing
from thaw.kinds.images.tensors import read_image, read_pixels, thumbnail_of
from thaw.kinds.kind import Limits
from thaw.params.sections import DatasetParams

PREPROCESSING = Preprocessing((16, 16), None, "bilinear", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
MOST = Limits(10**6)


@pytest.fixture
def examples(picture_folder: Path) -> list[Example]:
    return list(ingest(picture_folder, DatasetParams(source=str(picture_folder))).manifest.examples())


def test_rows_are_the_examples_in_their_order(picture_folder: Path, examples: list[Example]) -> None:
    found = read_pixels(references_of(examples, picture_folder), PREPROCESSING, limits=MOST)
    assert found.shape == (len(examples), 3, 16, 16) and found.dtype == torch.uint8
    for row, example in zip(found, examples, strict=True):
        with Image.open(picture_folder / example.path) as image:
            assert torch.equal(row, PREPROCESSING.pixels(image.convert("RGB")))


def test_an_image_that_changed_or_went_is_named(picture_folder: Path, examples: list[Example]) -> None:
    first = picture_folder / examples[0].path
    first.write_bytes(first.read_bytes() + b"more")
    with pytest.raises(BadSource, match="changed since it was ingested"):
        read_image(references_of(examples, picture_folder)[0], MOST)
    first.unlink()
    with pytest.raises(BadSource, match=f"{first.name} was ingested but cannot be read"):
        read_pixels(references_of(examples, picture_folder), PREPROCESSING, limits=MOST)


def test_thumbnails_are_small_pngs_and_small_images_stay(picture_folder: Path, examples: list[Example]) -> None:
    import io

    def size(side: int) -> tuple[int, int]:
        with Image.open(io.BytesIO(thumbnail_of(references_of(examples, picture_folder)[0], MOST, side))) as image:
            assert image.format == "PNG"
            return image.size

    assert size(16) == (16, 12) and size(160) == (32, 24)


def test_a_hundred_images_leave_no_file_behind(
    picture_folder: Path, examples: list[Example], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    found = read_pixels(references_of(examples, picture_folder), PREPROCESSING, limits=MOST)
    assert not list(scratch.iterdir())
    assert np.asarray(found).any()
