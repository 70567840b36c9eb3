"""Baselines learn from the drawn rows, and from nothing else."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.kinds.images.tensors import PIXEL_SIDE, flat_pixels
from thaw.params.sections import BackboneParams, HeadParams
from thaw.strategies.baselines.from_scratch import ScratchSettings
from thaw.strategies.baselines.learners import (
    Course,
    Inputs,
    frozen_learner,
    majority,
    pixels_learner,
    random_backbone_learner,
    scratch_learner,
)
from thaw.strategies.baselines.transfer_gain import Draw

COURSE = Course(("0", "1"), None, HeadParams(l2=(0.01,)))
FEW_STEPS = ScratchSettings(steps=20, batch_size=16, ema_decay=0.7)


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return read_backbone(BackboneParams(weights="data/pretrain/small.safetensors"))


@pytest.fixture(scope="module")
def images() -> Inputs:
    """Zeros and ones, 100 to draw from and 200 to test on, uint8 [N, 3, 32, 32]."""
    held = load_digits(n_class=2)
    small = torch.tensor(held.images * 255 / 16).round().to(torch.uint8)
    large = small.repeat_interleave(4, 1).repeat_interleave(4, 2)[:, None].expand(-1, 3, -1, -1)
    return Inputs(large[:100], None, large[100:300])


TARGETS = np.asarray(load_digits(n_class=2).target)


def draw(count: int, seed: int = 0) -> Draw:
    rows = torch.arange(count)
    return Draw(seed, rows, torch.tensor(TARGETS[:count]))


def test_the_majority_knows_the_shares_of_training_alone() -> None:
    found = majority(np.array([0, 1, 1, 1]), 3, 5)
    assert found.shape == (5, 3) and found.dtype == np.float32
    assert found[0].tolist() == [0.25, 0.75, 0.0]


@pytest.mark.parametrize("learner", ["pixels", "random_backbone", "scratch"])
def test_each_image_learner_tells_zeros_from_ones(learner: str, images: Inputs, backbone: Backbone) -> None:
    made = {
        "pixels": lambda: pixels_learner(images, COURSE),
        "random_backbone": lambda: random_backbone_learner(images, COURSE, backbone, backbone.layers[-1]),
        "scratch": lambda: scratch_learner(images, COURSE, backbone, FEW_STEPS),
    }[learner]()
    found = made(draw(20))
    assert found.shape == (200,) and found.dtype == np.int64
    assert (found == TARGETS[100:300]).mean() > 0.8


def test_a_head_sees_the_drawn_rows_only() -> None:
    # The rows that are not drawn would teach the opposite.
    features = Inputs(torch.tensor([[0.0], [1.0], [0.1], [0.9], [1.0], [0.0]]), None, torch.tensor([[0.0], [1.0]]))
    given = Draw(0, torch.tensor([0, 1, 2, 3]), torch.tensor([0, 1, 0, 1]))
    assert frozen_learner(features, COURSE)(given).tolist() == [0, 1]
    other = Draw(0, torch.tensor([0, 1, 4, 5]), torch.tensor([1, 0, 0, 1]))
    assert frozen_learner(features, COURSE)(other).tolist() == [1, 0]


def test_validation_chooses_where_there_is_one() -> None:
    generator = torch.Generator().manual_seed(0)
    rows, targets = torch.randn(40, 30, generator=generator), torch.arange(40) % 2
    signal = rows.clone()
    signal[:, 0] += 2 * targets
    features = Inputs(signal, signal, signal)
    settled = HeadParams(l2=(1e-6, 1e3))
    with_validation = frozen_learner(features, Course(("0", "1"), targets, settled))(Draw(0, torch.arange(40), targets))
    assert (with_validation == targets.numpy()).all(), "validation is training here, so the weakest penalty wins"


def test_large_pixels_are_scaled_down_and_small_ones_kept() -> None:
    large = torch.full((2, 3, 64, 64), 255, dtype=torch.uint8)
    assert flat_pixels(large).shape == (2, 3 * PIXEL_SIDE**2)
    assert flat_pixels(large).allclose(torch.ones(()))
    assert flat_pixels(torch.zeros(2, 3, 8, 8, dtype=torch.uint8)).shape == (2, 192)


def test_another_seed_draws_another_random_backbone(images: Inputs, backbone: Backbone) -> None:
    few = Inputs(images.train[:4], None, images.test[:4])
    layer = backbone.layers[-1]
    first, again, other = (backbone.randomised(seed).features(few.test)[layer].clone() for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.allclose(first, other)
