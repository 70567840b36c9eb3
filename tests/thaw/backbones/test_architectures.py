"""Architectures by name, and by their weights alone."""

from pathlib import Path

import pytest
import torch

from thaw.backbones.architectures import (
    architecture_names,
    build,
    build_seeded,
    build_with_weights,
    classifier_input,
    default_preprocessing,
)
from thaw.foundation.errors import BadParameters, BadWeights


def test_an_unknown_name_gets_the_close_ones() -> None:
    with pytest.raises(BadParameters, match="resnet18"):
        build("resnet-18", 10)
    assert {"thaw_small", "mobilenet_v2", "vit_b_16"} <= set(architecture_names())


@pytest.mark.parametrize(
    ("architecture", "cut"),
    [
        ("thaw_small", "flatten"),
        ("mobilenet_v2", "classifier.0"),
        ("squeezenet1_1", "classifier.0"),
        ("vit_b_16", "getitem_5"),
    ],
)
def test_the_default_cut_is_the_classifiers_input(architecture: str, cut: str) -> None:
    with torch.device("meta"):
        assert classifier_input(build(architecture, 5).eval()) == cut


def test_a_seed_gives_the_same_weights_and_leaves_the_generator_alone() -> None:
    before = torch.random.get_rng_state()
    one, two, other = (build_seeded("thaw_small", 3, seed).state_dict()["conv1.weight"] for seed in (1, 1, 2))
    assert torch.equal(one, two) and not torch.equal(one, other)
    assert torch.equal(before, torch.random.get_rng_state())


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(BadWeights, match="do not fit thaw_small"):
        build_with_weights("thaw_small", {"foo": torch.ones(1)})


def test_preprocessing_comes_with_the_weights() -> None:
    first = default_preprocessing("resnet50", Path("x/resnet50-11ad3fa6.pth"))
    second = default_preprocessing("resnet50", Path("x/ResNet50_Weights.IMAGENET1K_V2.pth"))
    assert (first.resize, second.resize) == (256, 232)
