"""The source task: endless, repeatable, and without the target's classes."""

import torch

from thaw.pretraining.digit_likeness import DIGITS, FONTS, digit_likeness, digit_templates, likeness, printed
from thaw.pretraining.source_task import SourceTask, draw_batch, draw_classes

TASK = SourceTask(classes=40, seed=3)


def test_the_same_seed_gives_the_same_batch_bit_for_bit_and_another_seed_another() -> None:
    def batch(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        drawn = draw_batch(TASK, draw_classes(TASK), 16, torch.Generator().manual_seed(seed))
        return drawn.images, drawn.targets

    (images, targets), (again, same), (other, _) = batch(0), batch(0), batch(1)
    assert torch.equal(images, again) and torch.equal(targets, same)
    assert not torch.equal(images, other)


def test_images_are_bright_ink_of_three_equal_channels_at_the_input_size() -> None:
    images = draw_batch(TASK, draw_classes(TASK), 32, torch.Generator().manual_seed(0)).images
    assert images.shape == (32, 3, 32, 32) and images.dtype == torch.uint8
    assert torch.equal(images[:, 0], images[:, 1]) and torch.equal(images[:, 0], images[:, 2])
    assert (images.amax((1, 2, 3)) > 128).all(), "every character leaves ink"
    corners = images[:, 0, [0, 0, -1, -1], [0, -1, 0, -1]].float()
    assert corners.mean() < 64, "on a dark ground"


def test_instances_of_a_character_vary_yet_are_more_alike_than_others() -> None:
    classes = draw_classes(TASK)
    drawn = draw_batch(TASK, classes, 600, torch.Generator().manual_seed(0))
    flat = drawn.images[:, 0].flatten(1).float()
    flat = torch.nn.functional.normalize(flat - flat.mean(1, keepdim=True), dim=1)
    alike = flat @ flat.T
    same = drawn.targets[:, None] == drawn.targets
    different = ~torch.eye(len(flat), dtype=torch.bool)
    assert alike[same & different].mean() > alike[~same].mean() + 0.15
    assert alike[same & different].max() < 0.999


def test_no_class_looks_like_a_digit() -> None:
    assert float(digit_likeness(draw_classes(TASK)).max()) <= TASK.digit_likeness


def test_the_measure_of_likeness_knows_a_printed_digit() -> None:
    digits = torch.stack([printed(digit, FONTS[0]) for digit in DIGITS])
    assert torch.allclose(likeness(digits, digit_templates()), torch.ones(10), atol=1e-5)
    assert likeness(255 - digits, digit_templates()).max() < 0.6
