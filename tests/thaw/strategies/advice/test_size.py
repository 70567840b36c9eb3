"""Size: near-duplicates count once, and different images never."""

import torch
from advised import DIGITS, handwriting

from thaw.strategies.advice.size import is_small, measure_size


def test_images_that_were_altered_a_little_count_once() -> None:
    pixels, targets = handwriting(30)
    twice = torch.cat([pixels, (1.05 * pixels[:90]).clamp(max=16)])
    size = measure_size(twice, torch.cat([targets, targets[:90]]), DIGITS, copies=4)
    assert (size.examples, size.copies) == (390, 4)
    merged = [one.examples - one.effective for one in size.classes]
    assert all(30 <= count <= 36 for count in merged[:3]), "three classes were doubled"
    assert all(count <= 3 for count in merged[3:])


def test_handwriting_that_only_looks_alike_stays() -> None:
    """Even as raw pixels, which tell less apart than any backbone's features."""
    pixels, targets = handwriting(150)
    assert measure_size(pixels, targets, DIGITS, copies=0).effective >= 0.95 * 1500


def test_without_features_every_image_counts() -> None:
    size = measure_size(None, torch.tensor([0, 0, 0, 1]), ("a", "b"), copies=0)
    assert (size.effective, size.labels_a_class, size.small) == (4, 2.0, True)


def test_small_and_large() -> None:
    assert is_small(49, 10_000) and is_small(122, 244) and not is_small(50, 500)
