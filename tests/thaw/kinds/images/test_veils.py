"""Veiled images, and maps over them."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from thaw.kinds.images.veils import GRID, SIDE, map_preview, veiled


@pytest.mark.parametrize("shape", [(224, 224), (28, 28), (3, 5), (30, 41)])
def test_each_veil_changes_its_own_place_and_nothing_far_from_it(shape: tuple[int, int]) -> None:
    image = torch.randint(0, 256, (3, *shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    veils = veiled(image)
    assert (veils.rows, veils.columns) == (min(GRID, shape[0]), min(GRID, shape[1]))
    assert len(veils.without) == veils.rows * veils.columns
    changed = torch.stack([(each != image).any(0) for each in veils.without])
    covered = changed.any(0).float().mean()
    assert covered > 0.95, "the veils cover the whole image"
    corner = changed[0].nonzero()
    assert corner[:, 0].max() < 2 * shape[0] / veils.rows + 1 and corner[:, 1].max() < 2 * shape[1] / veils.columns + 1
    assert all(torch.equal(first, second) for first, second in zip(veils.without, veiled(image).without, strict=True))


def test_an_even_image_has_nothing_to_hide() -> None:
    image = torch.full((3, 32, 32), 77, dtype=torch.uint8)
    assert all(torch.equal(each, image) for each in veiled(image).without)


def test_the_map_is_orange_where_a_place_speaks_for_the_answer_and_blue_where_against() -> None:
    strengths = np.zeros((7, 7))
    strengths[0, 0], strengths[6, 6] = 1, -1
    preview = map_preview(torch.full((3, 56, 56), 128, dtype=torch.uint8), strengths)
    drawn = np.asarray(Image.open(io.BytesIO(preview.content))).astype(int)
    assert preview.media_type == "image/png" and drawn.shape == (SIDE, SIDE, 3)
    assert drawn[5, 5, 0] > drawn[5, 5, 2] + 50 and drawn[-5, -5, 2] > drawn[-5, -5, 0] + 50
    assert np.ptp(drawn[SIDE // 2, SIDE // 2]) == 0, "grey where nothing speaks"
