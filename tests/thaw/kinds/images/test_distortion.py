"""Distortion moves ink; it does not make any."""

from dataclasses import replace

import torch

from thaw.kinds.images.distortion import Distortion, distort

STILL = Distortion(rotation_degrees=0, shear=0, log_scale=0, translation=0, elastic=0)


def images(count: int = 8) -> torch.Tensor:
    held = torch.zeros(count, 3, 32, 32)
    held[:, :, 12:20, 8:24] = 1
    return held


def distorted(settings: Distortion, seed: int = 0) -> torch.Tensor:
    return distort(images(), settings, torch.Generator().manual_seed(seed))


def test_nothing_is_moved_when_nothing_may_move() -> None:
    assert torch.allclose(distorted(STILL), images(), atol=1e-5)


def test_each_image_has_its_own_distortion_and_the_seed_decides_it() -> None:
    found = distorted(Distortion())
    assert torch.equal(found, distorted(Distortion()))
    assert not torch.allclose(found, distorted(Distortion(), seed=1))
    assert not torch.allclose(found[0], found[1])
    assert torch.equal(found[:, 0], found[:, 2]), "channels move together"


def test_values_stay_on_their_scale_and_most_ink_on_the_image() -> None:
    found = distorted(Distortion())
    assert found.shape == images().shape and found.dtype == torch.float32
    assert float(found.min()) >= 0 and float(found.max()) <= 1 + 1e-6
    share = found.sum((1, 2, 3)) / images().sum((1, 2, 3))
    assert ((share > 0.6) & (share < 1.6)).all()


def test_a_translation_is_a_share_of_the_side() -> None:
    moved = distort(images(4000), replace(STILL, translation=0.05), torch.Generator().manual_seed(0))[:, 0]
    columns = torch.arange(32) + 0.5
    centres = (moved.sum(1) * columns).sum(1) / moved.sum((1, 2))
    assert abs(float(centres.std()) - 0.05 * 32) < 0.1


def test_a_border_is_continued_when_asked() -> None:
    bright = torch.ones(4, 3, 16, 16)
    far = replace(STILL, translation=0.3)
    generator = torch.Generator().manual_seed(0)
    assert torch.allclose(distort(bright, replace(far, padding="border"), generator), bright)
    assert float(distort(bright, far, generator).min()) == 0
