"""Samples of rows of one label."""

import torch

from thaw.targets.one_label.samples import first_of_each_class, sample_rows


def test_a_sample_keeps_shares_and_rare_classes() -> None:
    targets = torch.tensor([0] * 900 + [1] * 96 + [2] * 4)
    rows = sample_rows(targets, 100, seed=0)
    assert targets[rows].bincount().tolist() == [90, 10, 2]
    assert sample_rows(targets, 1000, seed=0).tolist() == list(range(1000))


def test_the_first_rows_of_each_class() -> None:
    assert first_of_each_class(torch.tensor([1, 0, 1, 1, 0]), 2).tolist() == [1, 4, 0, 2]
