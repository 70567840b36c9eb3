"""Augmentation: images stay images of their size, each is changed for itself, and the seed decides."""

import pytest
import torch
from digit_images import digit_images

from thaw.kinds.images.augmentation import augment, build_mixing, flip
from thaw.kinds.images.kind import KIND

KINDS = tuple(KIND.augmentations)


def seeded(kind: str, seed: int) -> torch.Tensor:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return augment(digit_images(0, 12).inputs, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_images_keep_their_shape_and_the_seed_decides(kind: str) -> None:
    pixels = digit_images(0, 12).inputs
    found = seeded(kind, 1)
    assert found.shape == pixels.shape and found.dtype == torch.uint8
    assert torch.equal(found, seeded(kind, 1))
    assert torch.equal(found, seeded(kind, 2)) == (kind == "none")


def test_a_flip_mirrors_only_those_that_it_should() -> None:
    pixels = digit_images(0, 3).inputs
    found = flip(pixels, torch.tensor([True, False, True]))
    assert torch.equal(found[1], pixels[1])
    assert torch.equal(found[0], pixels[0].flip(-1)) and torch.equal(found[2].flip(-1), pixels[2])


def test_equal_images_are_changed_each_in_its_own_way() -> None:
    same = digit_images(0, 1).inputs.expand(8, -1, -1, -1)
    for kind in ("crop", "distort", "randaugment"):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            assert len(augment(same, kind).flatten(1).unique(dim=0)) > 4


@pytest.mark.parametrize(("mixup", "cutmix"), [(0.4, 0.0), (0.0, 1.0), (0.4, 1.0)])
def test_mixing_spreads_targets_and_keeps_their_sum(mixup: float, cutmix: float) -> None:
    mixing = build_mixing(mixup, cutmix, 3)
    assert mixing is not None
    images, targets = mixing(torch.rand(6, 3, 8, 8), torch.tensor([0, 1, 2, 0, 1, 2]))
    assert images.shape == (6, 3, 8, 8) and targets.shape == (6, 3)
    assert targets.sum(1).tolist() == pytest.approx([1] * 6, abs=1e-5)
    assert build_mixing(0, 0, 3) is None
