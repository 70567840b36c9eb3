"""Choices of rows of label sets: a sample with every class, and the first rows of each class."""

import torch
from torch import Tensor

FEWEST = 2
"""The least number of rows in a sample that show a class, and of rows that do not: one to learn from, one to judge."""


def sample_rows(targets: Tensor, most: int, seed: int) -> Tensor:
    """About `most` rows, drawn from all alike, with at least `FEWEST` that show each class and that do not; sorted, int64 [M].

    targets: bool [N, C].
    """
    if len(targets) <= most:
        return torch.arange(len(targets))
    order = torch.randperm(len(targets), generator=torch.Generator().manual_seed(seed))
    kept = torch.zeros(len(targets), dtype=torch.bool)
    kept[order[:most]] = True
    for side in (targets, ~targets):
        for column in side.T:
            kept[order[column[order]][:FEWEST]] = True
    return kept.nonzero().flatten()


def first_of_each_class(targets: Tensor, size: int) -> Tensor:
    """The first `size` rows that show each class, and the first `size` that show none, each row once and in order: int64 [M]. targets: bool [N, C]."""
    sides = torch.cat([targets, ~targets.any(1, keepdim=True)], 1)
    return (sides & (sides.cumsum(0) <= size)).any(1).nonzero().flatten()
