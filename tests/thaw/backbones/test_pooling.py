"""Pooling: by hand on small numbers, the same for maps and tokens, and bounds that hold for any."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from thaw.backbones.pooling import is_pooled, pool
from thaw.foundation.errors import BadParameters
from thaw.params.sections import Pooling

MAPS = torch.tensor([[[[0.0, 1.0], [2.0, 3.0]]]])


@pytest.mark.parametrize(("pooling", "expected"), [("average", 1.5), ("max", 3.0), ("gem", (36 / 4) ** (1 / 3))])
def test_each_by_hand(pooling: Pooling, expected: float) -> None:
    assert pool(MAPS, pooling).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("pooling", ["average", "max", "gem"])
def test_maps_and_tokens_are_pooled_alike_and_vectors_not_at_all(pooling: Pooling) -> None:
    maps = torch.rand(2, 5, 3, 4)
    assert pool(maps, pooling).shape == (2, 5)
    assert torch.allclose(pool(maps.flatten(2).transpose(1, 2), pooling), pool(maps, pooling))
    assert torch.equal(pool(maps[:, :, 0, 0], pooling), maps[:, :, 0, 0])
    assert (is_pooled(maps), is_pooled(maps[:, :, 0, 0])) == (True, False)


@given(st.lists(st.floats(0, 100, width=32), min_size=4, max_size=4))
def test_the_generalised_mean_lies_between_the_average_and_the_largest(values: list[float]) -> None:
    maps = torch.tensor(values).view(1, 1, 2, 2)
    average, gem, largest = (pool(maps, one).item() for one in ("average", "gem", "max"))
    assert average * (1 - 1e-4) <= gem <= max(largest, 1e-6) * (1 + 1e-4)


@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=6),
    st.integers(0, 5),
    st.sampled_from(["average", "max", "gem", "thirds"]),
)
def test_padding_changes_nothing(lengths: list[int], more: int, pooling: Pooling) -> None:
    generator = torch.Generator().manual_seed(0)
    tokens = [torch.randn(length, 4, generator=generator) for length in lengths]
    width = max(lengths) + more
    padded = torch.stack([torch.cat([one, torch.full((width - len(one), 4), 99.0)]) for one in tokens])
    mask = torch.arange(width) < torch.tensor(lengths)[:, None]
    alone = torch.cat([pool(one[None], pooling) for one in tokens])
    assert torch.allclose(pool(padded, pooling, mask), alone, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("places", [1, 2, 3, 4, 7, 9, 30])
def test_thirds_are_those_of_torchs_adaptive_pooling(places: int) -> None:
    tokens = torch.randn(2, places, 5, generator=torch.Generator().manual_seed(places))
    wanted = torch.nn.functional.adaptive_avg_pool1d(tokens.transpose(1, 2), 3).transpose(1, 2).flatten(1)
    assert torch.allclose(pool(tokens, "thirds"), wanted, atol=1e-6)
    if not places % 3:
        assert torch.allclose(pool(tokens, "thirds").view(2, 3, 5).mean(1), pool(tokens), atol=1e-6)


def test_thirds_of_maps_are_those_of_their_columns_over_time_and_need_time() -> None:
    maps, mask = torch.rand(2, 4, 3, 6), torch.arange(6) < torch.tensor([[6], [3]])
    assert torch.allclose(pool(maps, "thirds", mask)[1], maps[1, :, :, :3].mean(1).T.flatten(), atol=1e-6)
    with pytest.raises(BadParameters, match="thirds are of time, and a layer's maps have none"):
        pool(maps, "thirds")
    assert torch.equal(pool(maps[:, :, 0, 0], "thirds"), maps[:, :, 0, 0])


def test_a_layer_with_fewer_places_counts_a_place_where_any_of_the_inputs_counts() -> None:
    tokens = torch.tensor([[[1.0], [3.0], [100.0]]])  # one place for each two of five
    mask = torch.tensor([[True, True, True, False, False]])
    assert pool(tokens, "average", mask).item() == 2
    maps = torch.tensor([[[[1.0, 3.0, 100.0], [5.0, 7.0, 100.0]]]])  # two rows of frequencies, time is last
    assert pool(maps, "average", mask).item() == 4 and pool(maps, "max", mask).item() == 7


def test_where_it_cannot_be_told_which_places_are_padding_another_layer_is_asked_for() -> None:
    with pytest.raises(BadParameters, match=r"a layer makes 4 places of 5, so it cannot be told"):
        pool(torch.zeros(1, 4, 2), "average", torch.ones(1, 5, dtype=torch.bool))
    assert torch.equal(pool(torch.ones(2, 3), "average", torch.zeros(2, 5, dtype=torch.bool)), torch.ones(2, 3))
