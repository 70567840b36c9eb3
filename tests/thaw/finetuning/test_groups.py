"""Learning rates by depth."""

import pytest
from digit_images import digit_images, start_on

from thaw.finetuning.groups import groups_of, rate_at
from thaw.finetuning.network import build_network
from thaw.heads.logistic import LogisticModel
from thaw.params.sections import FinetuneParams
from thaw.params.values.strategy import Strategy

PARAMS = FinetuneParams(learning_rate=1.0, layer_decay=0.5, weight_decay=0.1, warmup=0.0)


def test_each_block_learns_half_as_fast_as_the_one_above_and_vectors_do_not_decay() -> None:
    start = start_on(digit_images(0, 40))
    assert isinstance(start.head.model, LogisticModel)
    network = build_network(start.backbone, Strategy("full", start.backbone.layers[-1]), start.head.model, PARAMS)
    groups = groups_of(network, PARAMS)
    assert {group.depth for group in groups} == set(range(len(network.blocks) + 1))
    for group in groups:
        assert group.rate == pytest.approx(0.5**group.depth)
        matrices = {parameter.dim() > 1 for parameter in group.parameters}
        assert len(matrices) == 1 and group.weight_decay == (0.1 if matrices.pop() else 0.0)
    counted = sum(len(group.parameters) for group in groups)
    assert counted == len(list(network.trained())) == len({id(p) for g in groups for p in g.parameters})


def test_gradual_thawing_goes_down_one_block_an_epoch() -> None:
    start = start_on(digit_images(0, 40))
    assert isinstance(start.head.model, LogisticModel)
    gradual = PARAMS.model_copy(update={"gradual": True})
    network = build_network(start.backbone, Strategy("full", start.backbone.layers[-1]), start.head.model, gradual)
    groups = groups_of(network, gradual)
    for epoch in (1, 2, 3):
        moving = {g.depth for g in groups if rate_at(g, 0, 100, epoch=epoch, params=gradual) > 0}
        assert moving == set(range(epoch))
    assert all(rate_at(group, 0, 100, epoch=1, params=PARAMS) > 0 for group in groups)
