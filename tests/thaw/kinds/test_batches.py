"""Batches of examples that differ in length: grouped, padded, trimmed, and always given back in the caller's order."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from thaw.kinds.batches import (
    PLACES,
    Batch,
    examples_in,
    grouped,
    in_groups,
    length_of,
    rows_at_once,
    rows_in,
    split,
    stacked,
    taken,
    trimmed,
)

lengths = st.lists(st.integers(1, 200), min_size=1, max_size=60)


def example(length: int, number: int = 0) -> dict[str, Tensor]:
    """`length` places, all with the example's number."""
    return {"values": torch.full((length,), float(number)), "mask": torch.ones(length, dtype=torch.bool)}


@given(lengths, st.integers(1, 20))
def test_every_example_is_in_one_group_with_others_of_like_length(sizes: list[int], most: int) -> None:
    groups = grouped([example(size) for size in sizes], most)
    assert sorted(number for group in groups for number in group) == list(range(len(sizes)))
    for group in groups:
        own = [sizes[number] for number in group]
        assert len(group) <= most and max(own) <= 2 * min(own)


@given(st.integers(1, 60), st.integers(1, 20))
def test_examples_of_one_length_are_cut_into_runs_in_their_order(count: int, most: int) -> None:
    groups = grouped([torch.zeros(3, 4)] * count, most)
    assert [number for group in groups for number in group] == list(range(count))
    assert [len(group) for group in groups[:-1]] == [most] * (len(groups) - 1)


@given(lengths, st.integers(1, 20))
def test_results_come_in_the_callers_order_whatever_the_groups(sizes: list[int], most: int) -> None:
    def means(examples: list[Batch]) -> Tensor:
        batch = stacked(examples)
        assert not isinstance(batch, Tensor)
        return ((batch["values"] * batch["mask"]).sum(1) / batch["mask"].sum(1))[:, None]

    found = in_groups([example(size, number) for number, size in enumerate(sizes)], most, means)  # type: ignore[arg-type]
    assert found.flatten().tolist() == pytest.approx(list(range(len(sizes))))


@given(lengths)
def test_shorter_examples_get_zeros_at_their_end(sizes: list[int]) -> None:
    batch = stacked([example(size, 1) for size in sizes])
    assert not isinstance(batch, Tensor)
    assert rows_in(batch) == len(sizes) and batch["values"].shape == (len(sizes), max(sizes))
    assert batch["values"].sum(1).tolist() == sizes and batch["mask"].sum(1).tolist() == sizes
    for row, size in zip(examples_in(batch), sizes, strict=True):
        assert not isinstance(row, Tensor)
        assert bool(row["mask"][:size].all()) and not bool(row["mask"][size:].any())


@given(lengths)
def test_padding_that_no_example_needs_is_cut_off(sizes: list[int]) -> None:
    padded = stacked([*(example(size, 1) for size in sizes), example(300)])
    some = taken(padded, torch.arange(len(sizes)))
    assert not isinstance(some, Tensor)
    cut = trimmed(some, some["mask"])
    assert not isinstance(cut, Tensor)
    assert cut["values"].shape == cut["mask"].shape == (len(sizes), max(sizes))
    assert torch.equal(cut["values"].sum(1), some["values"].sum(1))


def test_what_has_no_padding_is_not_trimmed() -> None:
    images = torch.zeros(2, 3, 4, 4)
    assert trimmed(images, None) is images


def test_of_nothing_but_padding_a_place_is_left() -> None:
    cut = trimmed({"rate": torch.ones(2), "values": torch.zeros(2, 5)}, torch.zeros(2, 5, dtype=torch.bool))
    assert not isinstance(cut, Tensor)
    assert cut["rate"].shape == (2,) and cut["values"].shape == (2, 1)


def test_the_length_is_that_of_the_longest_tensor() -> None:
    assert length_of(torch.zeros(3, 8, 8)) == 0
    assert length_of({"values": torch.zeros(7), "rate": torch.tensor(1.0)}) == 7


def test_a_batch_is_split_in_order() -> None:
    parts = list(split({"values": torch.arange(10).view(5, 2)}, 2))
    assert [rows_in(part) for part in parts] == [2, 2, 1]
    assert torch.cat([part["values"] for part in parts]).flatten().tolist() == list(range(10))  # type: ignore[call-overload,index]


def test_few_long_examples_are_passed_at_once() -> None:
    def batch(rows: int, length: int) -> dict[str, torch.Tensor]:
        return {"values": torch.zeros(rows, length), "number": torch.zeros(rows)}

    assert rows_at_once(batch(64, 100)) == 64 and rows_at_once(batch(64, PLACES // 8)) == 8
    assert rows_at_once(batch(3, 2 * PLACES)) == 1 and rows_at_once(torch.zeros(5, 3, 900, 900)) == 5
