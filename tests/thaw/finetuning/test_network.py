"""The network under training: what is frozen, what is not, and what comes out."""

import pytest
import torch
from digit_images import digit_images, embedded, start_on
from torch import nn

from thaw.finetuning.network import Network, build_network
from thaw.foundation.errors import BadParameters
from thaw.heads.logistic import LogisticModel
from thaw.params.sections import FinetuneParams
from thaw.params.values.strategy import Strategy, StrategyKind


def network(kind: StrategyKind, blocks: int | None = None, **params: object) -> Network:
    start = start_on(digit_images(0, 40))
    head = start.head.model
    assert isinstance(head, LogisticModel)
    strategy = Strategy(kind, start.backbone.layers[-1], blocks)
    return build_network(start.backbone, strategy, head, FinetuneParams.model_validate(params))


@pytest.mark.parametrize(("kind", "blocks"), [("last_blocks", 1), ("last_blocks", 2), ("full", None)])
def test_before_training_it_is_the_backbone_with_its_head(kind: StrategyKind, blocks: int | None) -> None:
    images, start = digit_images(0, 40), start_on(digit_images(0, 40))
    built = network(kind, blocks)
    batch = start.backbone.preprocessing.normalise(images.inputs[:8]).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        found = built.part.eval()(batch if built.lower is None else built.lower(batch))
    features = start.backbone.features(images.inputs[:8])[start.backbone.layers[-1]]
    assert torch.allclose(found, start.head.logits(features), atol=1e-5)
    assert (built.lower is None) == (kind == "full")
    assert built.result().weights_digest == start.backbone.weights_digest


def test_only_the_last_blocks_and_the_head_are_trained() -> None:
    built = network("last_blocks", 1)
    depths = {depth for depth, _, _ in built.trained()}
    assert depths == {0, 1}
    names = {name for _, name, _ in built.trained()}
    last = built.blocks[-1].modules
    assert all(name.startswith("head.") or name.removeprefix("upper.").startswith(last) for name in names)
    trained = {id(parameter) for _, _, parameter in built.trained()}
    frozen = [parameter for parameter in built.backbone.model.parameters() if id(parameter) not in trained]
    assert frozen and not any(parameter.requires_grad for parameter in frozen)


def test_training_what_it_gives_changes_its_own_backbone_and_not_the_one_it_was_built_from() -> None:
    built, before = network("full"), embedded().weights_digest
    with torch.no_grad():
        for _, _, parameter in built.trained():
            parameter.add_(0.01)
    assert embedded().is_unchanged() and embedded().weights_digest == before
    changed, old = built.result().model.state_dict(), embedded().model.state_dict()
    moved = {name for name in old if not torch.equal(changed[name], old[name])}
    assert {name.rpartition(".")[0] for name in moved} >= {"conv1", "layer3.0.conv2"}
    assert not any("running" in name for name in moved)


@pytest.mark.parametrize(("kept", "moves"), [("frozen", False), ("trained", True)])
def test_statistics_of_batch_normalisation_move_only_where_they_may(kept: str, moves: bool) -> None:
    built = network("full", batch_norm=kept)
    built.part.train()(torch.randn(4, 3, 32, 32))
    norms = [module for module in built.part.modules() if isinstance(module, nn.BatchNorm2d)]
    old = dict(embedded().model.named_modules())["bn1"]
    assert norms and any(not torch.equal(norm.running_mean, old.running_mean) for norm in norms[:1]) == moves
    assert all(norm.training == moves for norm in norms)


def test_from_scratch_begins_with_random_weights_and_its_own_statistics() -> None:
    built = network("scratch", seed=3)
    assert built.lower is None and built.thawed == len(built.blocks)
    assert built.result().weights_digest != embedded().weights_digest
    assert built.result().weights_digest == network("scratch", seed=3).result().weights_digest
    assert built.result().weights_digest != network("scratch", seed=4).result().weights_digest
    built.part.train()
    assert all(module.training for module in built.part.modules() if isinstance(module, nn.BatchNorm2d))


def test_an_earlier_layer_may_carry_the_head() -> None:
    start = start_on(digit_images(0, 40), embedded().only(("layer2.0.relu_1",)))
    head = start.head.model
    assert isinstance(head, LogisticModel)
    built = build_network(start.backbone, Strategy("full", "layer2.0.relu_1"), head, FinetuneParams())
    assert built.blocks[-1].output == "layer2.0"
    assert built.result().layers == ("layer2.0.relu_1",)


def test_more_blocks_than_there_are_is_an_error_that_says_how_many_there_are() -> None:
    with pytest.raises(BadParameters, match=r"99 given; thaw_small has \d blocks"):
        network("last_blocks", 99)


def test_a_head_in_the_midst_of_a_block_cannot_be_fine_tuned() -> None:
    start = start_on(digit_images(0, 40), embedded().only(("layer2.0.conv1",)))
    head = start.head.model
    assert isinstance(head, LogisticModel)
    with pytest.raises(BadParameters, match=r"layer2.0.conv1 is not one; the ends are maxpool, layer1.0"):
        build_network(start.backbone, Strategy("full", "layer2.0.conv1"), head, FinetuneParams())
