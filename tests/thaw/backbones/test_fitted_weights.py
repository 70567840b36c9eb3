"""The architecture is found from the weights; what fits none is refused with the closest one and what differs."""

from pathlib import Path

import pytest
import torch

from thaw.backbones.architectures import build, build_seeded, build_with_weights
from thaw.backbones.fitted_weights import fit_weights
from thaw.foundation.errors import BadWeights

OWN = build_seeded("thaw_small", 10, 0).state_dict()


@pytest.mark.parametrize("name", ["mobilenet_v3_small-047dcff4.pth", "my weights.pth"])
def test_the_architecture_is_found_from_the_weights(name: str) -> None:
    tensors = build("mobilenet_v3_small", 7).state_dict()
    found = fit_weights(tensors, Path(name))
    assert (found.architecture, found.notes, found.tensors) == ("mobilenet_v3_small", (), tensors)
    model = build_with_weights("mobilenet_v3_small", found.tensors)
    assert not model.training and not any(parameter.requires_grad for parameter in model.parameters())
    assert model.classifier[-1].out_features == 7


def test_it_is_found_through_a_prefix_and_without_a_head() -> None:
    with torch.device("meta"):
        whole = build("resnet34", 10).state_dict()
    body = {f"model.{name}": tensor for name, tensor in whole.items() if not name.startswith("fc.")}
    assert fit_weights(body, Path("best.ckpt")).architecture == "resnet34", "and not the shallower resnet18"


def test_a_named_architecture_that_is_wrong_is_refused_with_the_right_one() -> None:
    with pytest.raises(BadWeights, match=r"does not fit resnet18: `conv1\.weight` .*of thaw_small: set backbone\.arch"):
        fit_weights(OWN, Path("w.pth"), "resnet18")


def test_what_fits_none_is_refused_with_the_closest_and_three_differences() -> None:
    strange = {**OWN, "conv1.weight": torch.ones(64, 5, 3, 3), "layer1.0.se.fc.weight": torch.ones(3)}
    with pytest.raises(
        BadWeights, match=r"the closest is thaw_small, where `conv1\.weight` has the shape 64 x 5 x 3 x 3"
    ):
        fit_weights(strange, Path("w.pth"))
    with pytest.raises(BadWeights, match="no architecture has tensors of these names, which start with 'foo'"):
        fit_weights({"foo": torch.ones(1)}, Path("resnet18.pth"))


def test_the_differences_from_the_named_architecture_are_told_once() -> None:
    with pytest.raises(BadWeights) as refused:
        fit_weights({**OWN, "conv1.weight": torch.ones(64, 5, 3, 3)}, Path("w.pth"), "thaw_small")
    assert str(refused.value).count("64 x 5 x 3 x 3") == 1
    assert "no other architecture is closer; save the `state_dict()`" in str(refused.value)
