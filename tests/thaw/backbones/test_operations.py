"""The counted operations of networks, against counts by hand."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from thaw.backbones.architectures import SMALL_PREPROCESSING, build_seeded
from thaw.backbones.backbone import Backbone, cut
from thaw.backbones.operations import _countable, operations_of
from thaw.backbones.weights import Weights


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return cut(
        "thaw_small", Weights(build_seeded("thaw_small", 10, 0).state_dict(), {}), ("auto",), SMALL_PREPROCESSING
    )


def test_operations_are_those_of_one_example_up_to_the_last_layer(backbone: Backbone) -> None:
    found = operations_of(backbone, torch.rand(2, 3, 32, 32))
    assert found == operations_of(backbone, torch.rand(3, 3, 32, 32))
    assert found == by_hand(backbone)
    first = backbone.only((backbone.layers[0],)) if len(backbone.layers) > 1 else backbone
    assert operations_of(first, torch.rand(1, 3, 32, 32)) <= found


def by_hand(backbone: Backbone) -> float:
    """Two operations for each number of each filter at each place, from hooks."""
    total = 0

    def count(module: nn.Module, given: object, output: torch.Tensor) -> None:
        nonlocal total
        total += 2 * module.get_parameter("weight")[0].numel() * output[0].numel()

    layers = [each for each in backbone.model.modules() if isinstance(each, nn.Conv2d)]
    handles = [each.register_forward_hook(count) for each in layers]
    with torch.inference_mode():
        backbone.model(torch.rand(1, 3, 32, 32))
    for handle in handles:
        handle.remove()
    return float(total)


@pytest.mark.parametrize(
    ("network", "least"),
    [
        (nn.LSTM(8, 16, batch_first=True), 2 * 10 * 4 * 16 * (8 + 16)),
        (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2 * 10 * 8 * (4 * 8 + 2 * 16)),
    ],
)
def test_fused_layers_are_counted_by_their_products(network: nn.Module, least: int) -> None:
    with torch.inference_mode(), _countable(network.eval()), FlopCounterMode(display=False) as counter:
        network(torch.rand(1, 10, 8))
    assert least <= counter.get_total_flops() <= 1.5 * least
