"""Samples of rows of label sets."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from thaw.targets.label_sets.samples import first_of_each_class, sample_rows


def test_a_sample_knows_rare_classes_with_and_without() -> None:
    targets = torch.zeros(1000, 3, dtype=torch.bool)
    targets[:500, 0], targets[990:, 1], targets[:997, 2] = True, True, True
    rows = sample_rows(targets, 50, seed=0)
    assert 50 <= len(rows) <= 58 and rows.tolist() == sorted(set(rows.tolist()))
    shown = targets[rows].sum(0)
    assert shown[1] >= 2 and len(rows) - shown[2] >= 2 and 15 < shown[0] < 35
    assert sample_rows(targets, 1000, seed=0).tolist() == list(range(1000))


@given(st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=30), st.integers(1, 10))
def test_fewer_rows_of_each_class_are_among_more(shown: list[list[bool]], size: int) -> None:
    targets = torch.tensor(shown)
    few, more = (first_of_each_class(targets, count).tolist() for count in (size, size + 1))
    assert set(few) <= set(more) and few == sorted(few)
    for side in (*targets.T, ~targets.any(1)):
        rows = side.nonzero().flatten().tolist()
        assert set(rows[:size]) <= set(few), "the first rows that show a class, or none"
