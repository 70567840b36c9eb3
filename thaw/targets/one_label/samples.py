"""Choices of rows of one label each: a sample by class, and the first rows of each class."""

import torch
from torch import Tensor


def sample_rows(targets: Tensor, most: int, seed: int) -> Tensor:
    """About `most` rows, each class by its share and with at least two rows, sorted: int64 [M]. targets: int64 [N]."""
    if len(targets) <= most:
        return torch.arange(len(targets))
    order = torch.randperm(len(targets), generator=torch.Generator().manual_seed(seed))
    kept = []
    for number in targets.unique():
        rows = order[targets[order] == number]
        kept.append(rows[: max(2, round(len(rows) * most / len(targets)))])
    return torch.cat(kept).sort().values


def first_of_each_class(targets: Tensor, size: int) -> Tensor:
    """The first `size` rows of each class, class by class: int64 [M]. targets: int64 [N]."""
    return torch.cat([(targets == number).nonzero().flatten()[:size] for number in targets.unique()])
