"""Blocks hold every tensor once, end where a network can be cut, and cut layers are spread over them."""

import pytest
import torch
from torch import fx, nn

from thaw.backbones.architectures import build_seeded, classifier_input, classifier_of
from thaw.backbones.blocks import blocks_of, spread_layers
from thaw.backbones.graph import trace

ARCHITECTURES = (
    "alexnet",
    "convnext_tiny",
    "densenet121",
    "efficientnet_b0",
    "googlenet",
    "inception_v3",
    "maxvit_t",
    "mnasnet0_5",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "resnet18",
    "shufflenet_v2_x0_5",
    "squeezenet1_0",
    "swin_t",
    "swin_v2_t",
    "thaw_small",
    "vgg11_bn",
    "vit_b_16",
)
RUN = ("densenet121", "googlenet", "mobilenet_v3_small", "resnet18", "shufflenet_v2_x0_5", "thaw_small")
AUXILIARY = ("aux", "AuxLogits")


def outline(architecture: str) -> nn.Module:
    with torch.device("meta"):
        return build_seeded(architecture, 10, 0).eval()


def images(size: int = 64) -> torch.Tensor:
    return torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_parameter_but_the_classifiers_is_in_one_block(architecture: str) -> None:
    model = outline(architecture)
    blocks = blocks_of(model)
    held = [tensor for block in blocks for tensor in block.tensors]
    assert len(held) == len(set(held))
    assert set(held) <= model.state_dict().keys()
    beside = {name for name, _ in model.named_parameters() if not name.startswith(AUXILIARY)} - set(held)
    assert {name.rpartition(".")[0] for name in beside} == {classifier_of(model)}
    assert len(blocks) >= 4 and blocks[-1].output == classifier_input(model)
    for block in blocks:
        assert any(
            model.get_parameter(name).dim() > 1 for name in block.tensors if name in dict(model.named_parameters())
        )
        owned = {f"{name}.{tensor}" for name in block.modules for tensor in model.get_submodule(name).state_dict()}
        assert owned <= set(block.tensors)


@pytest.mark.parametrize(
    ("architecture", "expected"),
    [
        ("thaw_small", ["maxpool", "layer1.0", "layer2.0", "flatten"]),
        ("vgg11_bn", ["features.3", "features.7", "features.10", "features.14", "features.17", "features.21",
                      "features.24", "avgpool", "classifier.2", "classifier.5"]),
        ("vit_b_16", ["encoder.dropout", *(f"encoder.layers.encoder_layer_{i}" for i in range(11)), "getitem_5"]),
        ("mobilenet_v2", [*(f"features.{i}" for i in range(18)), "classifier.0"]),
    ],
)  # fmt: skip
def test_blocks_are_what_a_network_is_stacked_of(architecture: str, expected: list[str]) -> None:
    assert [block.output for block in blocks_of(outline(architecture))] == expected


def test_bare_parameters_belong_to_the_block_that_uses_them_first() -> None:
    first = blocks_of(outline("vit_b_16"))[0]
    assert first.modules == ("conv_proj",)
    assert set(first.tensors) == {"class_token", "encoder.pos_embedding", "conv_proj.weight", "conv_proj.bias"}


@pytest.mark.parametrize("architecture", RUN)
def test_what_follows_a_block_needs_its_output_alone(architecture: str) -> None:
    model = build_seeded(architecture, 10, 0).eval()
    traced = trace(model)
    (output,) = (node.all_input_nodes[0] for node in traced.graph.nodes if node.op == "output")
    with torch.inference_mode():
        whole = model(images())
        for block in blocks_of(model):
            end = traced.node(block.output)
            lower, upper = fx.GraphModule(model, traced.part(end)), fx.GraphModule(model, traced.part(output, end))
            activation = lower(images())
            kept = activation.clone()
            assert torch.equal(upper(activation), whole)
            assert torch.equal(activation, kept), "what lies beyond must not write into it"


def test_a_network_keeps_its_modes() -> None:
    model = outline("thaw_small").train()
    model.bn1.eval()
    blocks_of(model)
    assert model.training and model.conv1.training and not model.bn1.training


@pytest.mark.parametrize("architecture", ["convnext_tiny", "mobilenet_v2", "resnet18", "thaw_small", "vit_b_16"])
def test_cut_layers_are_spread_over_the_blocks(architecture: str) -> None:
    model = outline(architecture)
    outputs = [block.output for block in blocks_of(model)]
    for count in (1, 2, 5, 99):
        layers = spread_layers(model, count)
        places = [outputs.index(layer) for layer in layers]
        assert layers[-1] == classifier_input(model) and len(layers) == min(count, len(outputs))
        steps = [after - before for before, after in zip([-1, *places], places, strict=False)]
        assert max(steps) - min(steps) <= 1


def test_layers_that_cannot_be_pooled_are_left_out() -> None:
    assert spread_layers(outline("swin_t")) == ("flatten",)
