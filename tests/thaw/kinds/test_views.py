"""Views: what the names mean, and the pixels that they are."""

import pytest
import torch

from thaw.foundation.errors import BadParameters
from thaw.kinds.images.kind import CORNERS, KIND
from thaw.kinds.images.preprocessing import Preprocessing
from thaw.kinds.views import expand_views, named_augmentation, views_chosen_from

CROPPED = Preprocessing(8, 6, "bilinear", (0,) * 3, (1,) * 3)
RESIZED = torch.arange(3 * 8 * 10, dtype=torch.uint8).view(3, 8, 10)


def test_the_identity_comes_first_and_no_view_twice() -> None:
    assert expand_views([], KIND) == expand_views(["identity"], KIND) == ("identity",)
    assert expand_views(["five_crop", "hflip", "identity"], KIND) == ("identity", *CORNERS, "hflip")


def test_views_are_crops_and_mirror_images_of_one_picture() -> None:
    assert torch.equal(CROPPED.view(RESIZED), RESIZED[:, 1:7, 2:8])
    assert torch.equal(CROPPED.view(RESIZED, "hflip"), CROPPED.view(RESIZED).flip(2))
    assert torch.equal(CROPPED.view(RESIZED, "top_left"), RESIZED[:, :6, :6])
    assert torch.equal(CROPPED.view(RESIZED, "top_right"), RESIZED[:, :6, 4:])
    assert torch.equal(CROPPED.view(RESIZED, "bottom_left"), RESIZED[:, 2:, :6])
    assert torch.equal(CROPPED.view(RESIZED, "bottom_right"), RESIZED[:, 2:, 4:])


def test_a_picture_that_is_not_cropped_has_no_corners() -> None:
    whole = Preprocessing((8, 8), None, "bilinear", (0,) * 3, (1,) * 3)
    assert torch.equal(whole.view(RESIZED, "hflip"), RESIZED.flip(2))
    with pytest.raises(BadParameters, match="five_crop needs a backbone whose preprocessing crops"):
        whole.view(RESIZED, "top_left")


def test_names_that_a_kind_does_not_have_are_refused_with_those_that_it_has() -> None:
    with pytest.raises(BadParameters, match="images have no view `reversed`; there are identity, hflip, five_crop"):
        expand_views(["reversed"], KIND)
    with pytest.raises(BadParameters, match="images cannot be changed by `louder`; there are none, flip"):
        named_augmentation("louder", KIND)


def test_the_usual_augmentation_is_the_kinds_own() -> None:
    assert named_augmentation("auto", KIND) == "flip"
    assert views_chosen_from("auto", KIND) == ("identity", "hflip") and views_chosen_from("crop", KIND) == ()
