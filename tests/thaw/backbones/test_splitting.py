"""A network below its thawed blocks and above: together they are the network, and they share its parameters."""

import pytest
import torch
from torch import nn
from torchvision.models.feature_extraction import create_feature_extractor

from thaw.backbones.architectures import build_seeded, classifier_input
from thaw.backbones.blocks import blocks_of
from thaw.backbones.splitting import split_at

SMALL = ("densenet121", "efficientnet_b0", "googlenet", "mobilenet_v2", "resnet18", "thaw_small")


def images(size: int = 64) -> torch.Tensor:
    return torch.randn(4, 3, size, size, generator=torch.Generator().manual_seed(0))


def whole(model: nn.Module, output: str) -> nn.Module:
    return create_feature_extractor(model, {output: "found"}, suppress_diff_warning=True)


def seeded(module: nn.Module, *given: torch.Tensor) -> torch.Tensor:
    torch.manual_seed(0)  # of dropout
    return module(*given)


@pytest.mark.parametrize("architecture", SMALL)
@pytest.mark.parametrize("thawed", [1, 3])
def test_the_parts_together_are_the_network_up_to_the_layer(architecture: str, thawed: int) -> None:
    model = build_seeded(architecture, 10, 0).eval()
    output = classifier_input(model)
    lower, upper = split_at(model, blocks_of(model), thawed, output=output)
    assert lower is not None
    with torch.no_grad():
        expected = whole(model, output).eval()(images())["found"]
        assert not lower.training and not upper.training
        activation = lower.eval()(images())
        kept = activation.clone()
        assert torch.equal(upper.eval()(activation), expected)
        assert torch.equal(activation, kept), "cached activations are used again"


@pytest.mark.parametrize("architecture", ["efficientnet_b0", "googlenet", "mobilenet_v2", "resnet18"])
def test_the_upper_part_trains_as_the_network_does(architecture: str) -> None:
    own, other = (build_seeded(architecture, 10, 0).eval() for _ in range(2))
    output = classifier_input(own)
    lower, upper = split_at(own, blocks_of(own), 2, output=output)
    reference = whole(other, output)
    assert lower is not None
    activation = lower(images())
    # In the network itself, what lies below stays in evaluation mode too, or its statistics would move.
    reference.train()
    below = {name for name, _ in lower.named_modules()}
    for name, module in reference.named_modules():
        if name in below and not list(module.children()):
            module.eval()
    upper.train()
    assert torch.equal(seeded(upper, activation), seeded(reference, images())["found"])
    assert all(torch.equal(one, two) for one, two in zip(own.buffers(), other.buffers(), strict=True))
    assert not torch.equal(upper(activation), upper.eval()(activation))


def test_training_a_part_trains_the_model() -> None:
    model = build_seeded("thaw_small", 10, 0).eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    lower, upper = split_at(model, blocks_of(model), 1, output="flatten")
    assert lower is not None
    assert set(upper.state_dict()) == {name for name in before if name.startswith("layer3.")}
    assert set(lower.state_dict()) == {name for name in before if not name.startswith(("layer3.", "fc."))}
    optimizer = torch.optim.SGD(upper.parameters(), lr=0.1)
    upper.train()(lower(images(32)).detach()).pow(2).sum().backward()
    optimizer.step()
    moved = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert moved == set(upper.state_dict())


@pytest.mark.parametrize(("thawed", "has_lower"), [(3, True), (4, False), (100, False)])
def test_where_all_is_thawed_there_is_nothing_below(thawed: int, has_lower: bool) -> None:
    model = build_seeded("thaw_small", 10, 0).eval()
    lower, upper = split_at(model, blocks_of(model), thawed, output="flatten")
    assert (lower is not None) == has_lower
    if lower is None:
        assert torch.equal(upper(images(32)), whole(model, "flatten").eval()(images(32))["found"])


@pytest.mark.parametrize(("output", "boundary"), [("layer2.0", "layer1.0"), ("layer2.0.conv2", "layer1.0")])
def test_an_earlier_layer_counts_its_blocks_from_itself(output: str, boundary: str) -> None:
    model = build_seeded("thaw_small", 10, 0).eval()
    lower, upper = split_at(model, blocks_of(model), 1, output=output)
    assert lower is not None
    found = create_feature_extractor(model, [boundary, output], suppress_diff_warning=True).eval()(images(32))
    assert torch.equal(lower(images(32)), found[boundary])
    assert torch.equal(upper(found[boundary]), found[output])


def test_a_transformer_is_split_between_its_layers() -> None:
    model = build_seeded("vit_b_16", 10, 0).eval()
    lower, upper = split_at(model, blocks_of(model), 2, output="getitem_5")
    assert lower is not None
    with torch.no_grad():
        expected = whole(model, "getitem_5").eval()(images(224)[:1])["found"]
        assert torch.equal(upper(lower(images(224)[:1])), expected)
    assert {"class_token", "encoder.pos_embedding"} <= set(lower.state_dict())


def test_nothing_thawed_is_refused() -> None:
    model = build_seeded("thaw_small", 10, 0).eval()
    with pytest.raises(ValueError, match="0 blocks cannot be thawed"):
        split_at(model, blocks_of(model), 0, output="flatten")
    with pytest.raises(KeyError):
        split_at(model, blocks_of(model), 1, output="layer9")
