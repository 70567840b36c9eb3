"""Graphs of networks have torchvision's names, and parts of them hold what their ends need."""

import pytest
import torch
from torch import fx, nn
from torchvision.models.feature_extraction import create_feature_extractor, get_graph_node_names

from thaw.backbones.architectures import build_seeded
from thaw.backbones.graph import trace


def outline(architecture: str) -> nn.Module:
    with torch.device("meta"):
        return build_seeded(architecture, 10, 0).eval()


@pytest.mark.parametrize("architecture", ["googlenet", "resnet18", "swin_t", "vit_b_16"])
def test_nodes_have_torchvisions_names(architecture: str) -> None:
    model = outline(architecture)
    training, evaluation = get_graph_node_names(model, suppress_diff_warning=True)
    assert list(trace(model).names.values()) == evaluation
    assert list(trace(model, training=True).names.values()) == training


def test_a_short_name_means_the_last_node_below_it() -> None:
    traced = trace(outline("resnet18"))
    assert traced.names[traced.node("layer1.0")] == "layer1.0.relu_1"
    assert traced.node("layer1") is traced.node("layer1.1.relu_1")
    with pytest.raises(KeyError):
        traced.node("layer")


def test_a_part_gives_what_torchvisions_extractor_gives() -> None:
    model, names = build_seeded("shufflenet_v2_x0_5", 10, 0).eval(), ["stage2.1", "stage3", "mean"]
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    expected = create_feature_extractor(model, names, suppress_diff_warning=True).eval()(images)
    found = fx.GraphModule(model, trace(model).part_to(names))(images)
    assert list(found) == names
    assert all(torch.equal(found[name], expected[name]) for name in names)


def test_assertions_beyond_a_part_keep_nothing_alive() -> None:
    model = outline("vit_b_16")
    part = fx.GraphModule(model, trace(model).part_to(["encoder.layers.encoder_layer_0"]))
    layers = {name.split(".")[2] for name in part.state_dict() if name.startswith("encoder.layers.")}
    assert layers == {"encoder_layer_0"}
