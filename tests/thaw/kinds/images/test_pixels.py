"""Raw pixels as features."""

import torch

from thaw.kinds.images.pixels import PIXEL_SIDE, flat_pixels


def test_large_pixels_are_scaled_down_and_small_ones_kept() -> None:
    large = torch.ones(2, 3, 64, 64)
    assert flat_pixels(large).shape == (2, 3 * PIXEL_SIDE**2)
    assert flat_pixels(large).allclose(torch.ones(()))
    assert flat_pixels(torch.zeros(2, 3, 8, 8)).shape == (2, 192)
