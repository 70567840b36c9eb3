"""Baselines learn from the drawn rows, and from nothing else."""

from dataclasses import replace

import pytest
import torch
from sklearn.datasets import load_digits

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.params.sections import BackboneParams, HeadParams
from thaw.strategies.baselines.from_scratch import ScratchSettings
from thaw.strategies.baselines.learners import (
    Course,
    Inputs,
    frozen_learner,
    plain_learner,
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


TARGETS = torch.tensor(load_digits(n_class=2).target)


def draw(count: int, seed: int = 0) -> Draw:
    rows = torch.arange(count)
    return Draw(seed, rows, TARGETS[:count])


@pytest.mark.parametrize("learner", ["pixels", "random_backbone", "scratch"])
def test_each_image_learner_tells_zeros_from_ones(learner: str, images: Inputs, backbone: Backbone) -> None:
    made = {
        "pixels": lambda: plain_learner(images, COURSE, backbone.preprocessing),
        "random_backbone": lambda: random_backbone_learner(images, COURSE, backbone, backbone.layers[-1]),
        "scratch": lambda: scratch_learner(images, COURSE, backbone, FEW_STEPS),
    }[learner]()
    found = made(draw(20))
    assert found.shape == (200, 2) and found.dtype == torch.bool
    assert (found.long().argmax(1) == TARGETS[100:300]).float().mean() > 0.8


@pytest.mark.parametrize("with_validation", [True, False])
def test_from_scratch_sets_are_named_by_thresholds_that_rows_tuned_which_it_has_not_seen(
    with_validation: bool, images: Inputs, backbone: Backbone
) -> None:
    shown = torch.stack([TARGETS == 0, TARGETS == 1], 1)
    given = replace(images, val=images.test[100:]) if with_validation else images
    course = replace(COURSE, val_targets=shown[200:300] if with_validation else None)
    drawn = Draw(0, torch.arange(40), shown[:40])
    named = scratch_learner(given, course, backbone, FEW_STEPS)(drawn)
    assert named.shape == (200, 2) and named.dtype == torch.bool
    assert (named == shown[100:300]).float().mean() > 0.8


def test_a_head_sees_the_drawn_rows_only() -> None:
    # The rows that are not drawn would teach the opposite.
    features = Inputs(torch.tensor([[0.0], [1.0], [0.1], [0.9], [1.0], [0.0]]), None, torch.tensor([[0.0], [1.0]]))
    given = Draw(0, torch.tensor([0, 1, 2, 3]), torch.tensor([0, 1, 0, 1]))
    assert frozen_learner(features, COURSE)(given).tolist() == [[True, False], [False, True]]
    other = Draw(0, torch.tensor([0, 1, 4, 5]), torch.tensor([1, 0, 0, 1]))
    assert frozen_learner(features, COURSE)(other).tolist() == [[False, True], [True, False]]


def test_validation_chooses_where_there_is_one() -> None:
    generator = torch.Generator().manual_seed(0)
    rows, targets = torch.randn(40, 30, generator=generator), torch.arange(40) % 2
    signal = rows.clone()
    signal[:, 0] += 2 * targets
    features = Inputs(signal, signal, signal)
    settled = HeadParams(l2=(1e-6, 1e3))
    with_validation = frozen_learner(features, Course(("0", "1"), targets, settled))(Draw(0, torch.arange(40), targets))
    assert (with_validation.long().argmax(1) == targets).all(), (
        "validation is training here, so the weakest penalty wins"
    )


def test_another_seed_draws_another_random_backbone(images: Inputs, backbone: Backbone) -> None:
    few = Inputs(images.train[:4], None, images.test[:4])
    layer = backbone.layers[-1]
    first, again, other = (backbone.randomised(seed).features(few.test)[layer].clone() for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.allclose(first, other)
