"""The small backbone is a torchvision ResNet with less in it."""

import pytest
import torch

from thaw.backbones.thaw_small import FEATURE_DIM, build_small_resnet


def test_its_size_is_the_stated_one() -> None:
    model = build_small_resnet(7)
    own = sum(parameter.numel() for name, parameter in model.named_parameters() if not name.startswith("fc."))
    assert own == 1_225_024
    assert f"{own:,}" in str(build_small_resnet.__doc__)


@pytest.mark.parametrize("side", [16, 24, 32, 64])
def test_it_takes_any_size_from_16_up_and_gives_the_stated_feature(side: int) -> None:
    model, kept = build_small_resnet(7).eval(), []
    model.fc.register_forward_pre_hook(lambda _, given: kept.append(given[0]))
    with torch.inference_mode():
        assert model(torch.rand(2, 3, side, side)).shape == (2, 7)
    assert kept[0].shape == (2, FEATURE_DIM)


def test_the_random_state_decides_the_weights() -> None:
    def weights(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return build_small_resnet(3).conv1.weight

    assert torch.equal(weights(0), weights(0)) and not torch.equal(weights(0), weights(1))
