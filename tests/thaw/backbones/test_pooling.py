"""Pooling: by hand on small numbers, the same for maps and tokens, and bounds that hold for any."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from thaw.backbones.pooling import is_pooled, pool
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
