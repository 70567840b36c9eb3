"""Pixels are those of the images that were ingested, or there are none."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from thaw.dataset.ingestion import ingest
from thaw.dataset.manifest import Example
from thaw.dataset.places import Places, references_of
from thaw.foundation.errors import BadSource
from thaw.kinds.batches import tensor_of
from thaw.kinds.images.kind import KIND
from thaw.kinds.images.preprocessing import Preprocessing
from thaw.kinds.kind import Limits
from thaw.kinds.prepared import preview_of, read_examples
from thaw.params.sections import DatasetParams

PREPROCESSING = Preprocessing((16, 16), None, "bilinear", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
MOST = Limits(10**6)


@pytest.fixture
def examples(picture_folder: Path) -> list[Example]:
    return list(ingest(Places(picture_folder), DatasetParams(source=str(picture_folder)), KIND).manifest.examples())


def test_rows_are_the_examples_in_their_order(picture_folder: Path, examples: list[Example]) -> None:
    found = tensor_of(read_examples(references_of(examples, Places(picture_folder)), PREPROCESSING, MOST))
    assert found.shape == (len(examples), 3, 16, 16) and found.dtype == torch.uint8
    for row, example in zip(found, examples, strict=True):
        with Image.open(picture_folder / example.path) as image:
            assert torch.equal(row, PREPROCESSING.pixels(image.convert("RGB")))


def test_an_image_that_changed_or_went_is_named(picture_folder: Path, examples: list[Example]) -> None:
    first = picture_folder / examples[0].path
    first.write_bytes(first.read_bytes() + b"more")
    with pytest.raises(BadSource, match="changed since it was ingested"):
        preview_of(references_of(examples, Places(picture_folder))[0], KIND, MOST)
    first.unlink()
    with pytest.raises(BadSource, match=f"{first.name} was ingested but cannot be read"):
        read_examples(references_of(examples, Places(picture_folder)), PREPROCESSING, MOST)


def test_previews_are_small_pngs_and_small_images_stay(picture_folder: Path, examples: list[Example]) -> None:
    preview = preview_of(references_of(examples, Places(picture_folder))[0], KIND, MOST)
    assert preview.media_type == "image/png" and preview.drawing is None
    with Image.open(io.BytesIO(preview.content)) as image:
        assert image.format == "PNG" and image.size == (32, 24)
    large = KIND.from_value(np.zeros((300, 400, 3), np.uint8))
    with Image.open(io.BytesIO(KIND.preview(large, MOST).content)) as image:
        assert image.size == (160, 120)


def test_a_hundred_images_leave_no_file_behind(
    picture_folder: Path, examples: list[Example], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    found = tensor_of(read_examples(references_of(examples, Places(picture_folder)), PREPROCESSING, MOST))
    assert not list(scratch.iterdir())
    assert found.numpy().any()
