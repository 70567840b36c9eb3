"""What a network sees of images that is trained from random weights."""

import torch

from thaw.kinds.images.scratch import normalise


def test_pixels_are_normalised_by_channel() -> None:
    found = normalise(torch.ones(2, 3, 4, 4), [0.5, 0.0, 1.0], [0.5, 2.0, 1.0])
    assert found[0, :, 0, 0].tolist() == [1.0, 0.5, 0.0]
    assert found.is_contiguous(memory_format=torch.channels_last)
