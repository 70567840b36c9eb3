"""Images are read, checked against the manifest, and decoded within the bound."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from thaw.foundation.errors import BadExample, BadSource
from thaw.foundation.files.atomic import digest_file
from thaw.foundation.parallel.memory_budget import MemoryBound
from thaw.kinds.images.preprocessing import Preprocessing
from thaw.kinds.images.reading import PixelSource
from thaw.kinds.kind import Reference
from thaw.kinds.reading import spread

PREPROCESSING = Preprocessing((20, 20), None, "bilinear", (0.5, 0.5, 0.5), (0.2, 0.2, 0.2))


def image(folder: Path, number: int, side: int = 40) -> Reference:
    path = folder / f"{number}.png"
    noise = np.random.default_rng(number).integers(0, 256, (side, side, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    return digest_file(path), path


def test_images_come_in_order_as_the_backbone_takes_them(tmp_path: Path) -> None:
    images = [image(tmp_path, number) for number in range(3)]
    found = PixelSource(PREPROCESSING, 10**6, MemoryBound(10**6)).read(images)["identity"]
    assert found.shape == (3, 3, 20, 20) and found.dtype == torch.uint8
    for pixels, (_, path) in zip(found, images, strict=True):
        assert torch.equal(pixels, PREPROCESSING.pixels(Image.open(path)))


class Watched(MemoryBound):
    """Remembers what was held."""

    def __init__(self, nbytes: int) -> None:
        super().__init__(nbytes)
        self.seen: list[int] = []

    @contextmanager
    def holding(self, nbytes: int) -> Iterator[None]:
        with super().holding(nbytes):
            self.seen.append(self._held)
            yield


def test_threads_that_decode_hold_no_more_than_the_bound(tmp_path: Path) -> None:
    bound = Watched(2 * 3 * 40 * 40)
    source = PixelSource(PREPROCESSING, 10**6, bound)
    images = [image(tmp_path, number) for number in range(12)]
    with ThreadPoolExecutor(6) as pool:
        assert len(list(pool.map(lambda one: source.read([one]), images))) == 12
    assert len(bound.seen) == 12 and 0 < max(bound.seen) <= bound.nbytes and bound._held == 0


def test_an_image_larger_than_the_bound_is_decoded_all_the_same(tmp_path: Path) -> None:
    source = PixelSource(PREPROCESSING, 10**6, MemoryBound(1))
    assert source.read([image(tmp_path, 0)])["identity"].shape == (1, 3, 20, 20)


def test_gone_changed_and_damaged_images_are_named(tmp_path: Path) -> None:
    source = PixelSource(PREPROCESSING, 10**6, MemoryBound(10**6))
    digest, path = image(tmp_path, 0)
    with pytest.raises(BadSource, match=r"0\.png changed since it was ingested"):
        source.read([(b"0" * 32, path)])
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(BadExample):
        source.read([(digest_file(path), path)])
    path.unlink()
    with pytest.raises(BadSource, match=r"0\.png was ingested but cannot be read now"):
        source.read([(digest, path)])


@given(length=st.integers(0, 100), count=st.integers(1, 20))
def test_a_spread_lies_evenly_between_both_ends(length: int, count: int) -> None:
    images: list[Reference] = [(bytes([number]), Path()) for number in range(length)]
    found = spread(images, count)
    assert len(found) == min(length, count) and list(found) == sorted(set(found))
    places = [digest[0] for digest, _ in found]
    gaps = [after - before for before, after in pairwise(places)]
    assert max(gaps, default=0) - min(gaps, default=0) <= 1
    assert not places or abs(places[0] - (length - 1 - places[-1])) <= 1
