"""The parts of networks without pretrained weights, against their definitions in NumPy."""

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from thaw.backbones.architectures import build
from thaw.backbones.plain import (
    SKETCH,
    PlainBags,
    PlainValues,
    Sketch,
    Weigh,
    bags_architecture,
    network_named,
    values_architecture,
)

BAGS = st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=8), min_size=1, max_size=4)
RARITY = torch.tensor([1.0, 2.0, 0.5, 3.0, 1.5, 0.0])
"""Of the entries 0 to 5; the last one is not known."""


def padded(bags: list[list[int]]) -> torch.Tensor:
    longest = max(map(len, bags))
    return torch.tensor([[-1] * (longest - len(bag)) + sorted(bag) for bag in bags])


@given(BAGS)
def test_the_weights_of_an_entry_add_up_to_its_tf_idf(bags: list[list[int]]) -> None:
    numbers = padded(bags)
    rarity = torch.where(numbers >= 0, RARITY[numbers.clamp(min=0)], 0.0)
    found = Weigh()(numbers, rarity)
    for bag, places, weights in zip(bags, numbers, found, strict=True):
        counts = Counter(bag)
        expected = {entry: (1 + np.log(count)) * float(RARITY[entry]) for entry, count in counts.items()}
        length = np.sqrt(sum(weight**2 for weight in expected.values())) or 1.0
        for entry, weight in expected.items():
            assert float(weights[places == entry].sum()) == pytest.approx(weight / length, abs=1e-5)
        assert float(weights[places == -1].abs().sum()) == 0


def test_a_sketch_adds_up_the_weights_of_its_entries_with_their_signs() -> None:
    numbers = torch.tensor([[3, 3 + SKETCH, 3 + 2 * SKETCH, 7]])
    sketch = Sketch()(numbers, torch.tensor([[0.5, 0.2, 0.1, 1.0]]))[0]
    assert sketch[3] == pytest.approx(0.5 - 0.2 + 0.1) and sketch[7] == 1 and sketch.count_nonzero() == 2


@given(st.integers(0, 2**31 - 1))
def test_sketches_keep_the_angles_of_bags(seed: int) -> None:
    chance = np.random.default_rng(seed)
    entries = torch.from_numpy(chance.choice(2**20, 60, replace=False))
    weights = torch.from_numpy(chance.random((2, 60)) + 0.1).float()
    weights[0, :20] = weights[1, 40:] = 0
    sketches = Sketch()(entries.expand(2, -1), weights)
    exact, kept = (torch.cosine_similarity(rows[0], rows[1], dim=0) for rows in (weights, sketches))
    assert float(kept) == pytest.approx(float(exact), abs=0.25)


def test_networks_are_built_by_their_names() -> None:
    values, bags = build(values_architecture("sounds", 12), 3), build(bags_architecture("texts", 40, 2), 2)
    assert isinstance(values, PlainValues) and values.mean.shape == (12,) and values.fc.out_features == 3
    assert isinstance(bags, PlainBags) and bags.scores.shape == (40, 2) and bags.fc.in_features == SKETCH + 2
    assert network_named("plain_bags-texts-40", 2) is None and network_named("resnet18", 2) is None
