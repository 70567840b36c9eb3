"""Folds of a cross-validation: stratified, whole groups together, every class always left in training."""

import torch
from torch import Tensor

from thaw.targets.target import NEVER


def assign_folds(targets: Tensor, *, folds: int, seed: int, groups: Tensor | None = None) -> Tensor:
    """The fold in which each row is held out, int64 [N], each from 0 to `folds - 1`.

    Each class is dealt evenly. A class with fewer rows than folds is missing in some folds, which does no harm. If a fold held all rows of a class (a class of
    one row, or of one group), these rows are never held out.

    targets: int64 [N]. groups: int64 [N]; rows of a group share a fold.
    """
    generator = torch.Generator().manual_seed(seed)
    dealt = _deal_rows(targets, folds, generator) if groups is None else _deal_groups(targets, groups, folds, generator)
    classes = int(targets.max()) + 1
    held_out = torch.zeros(folds, classes, dtype=torch.int64).index_put_(
        (dealt, targets), torch.ones_like(targets), accumulate=True
    )
    nothing_left = held_out == held_out.sum(0)
    return dealt.masked_fill(nothing_left[dealt, targets], NEVER)


def _deal_rows(targets: Tensor, folds: int, generator: torch.Generator) -> Tensor:
    """Rows in random order within their class, dealt round robin; each class continues at the fold where the class before it ended."""
    order = torch.randperm(len(targets), generator=generator)
    order = order[targets[order].argsort(stable=True)]
    dealt = torch.empty_like(targets)
    dealt[order] = torch.arange(len(targets)) % folds
    return dealt


def _deal_groups(targets: Tensor, groups: Tensor, folds: int, generator: torch.Generator) -> Tensor:
    """Groups, the largest first, each dealt to the fold in which its classes are rarest so far."""
    _, group = groups.unique(return_inverse=True)
    sizes = group.bincount()
    counts = torch.zeros(len(sizes), int(targets.max()) + 1)
    counts.index_put_((group, targets), torch.ones(len(targets)), accumulate=True)
    shares = counts / counts.sum(0).clamp(min=1)
    order = torch.randperm(len(sizes), generator=generator)
    order = order[sizes[order].argsort(descending=True, stable=True)]
    dealt_shares, fold_of_group = torch.zeros(folds, shares.shape[1]), torch.empty(len(sizes), dtype=torch.int64)
    for number in order.tolist():
        fold = int(((dealt_shares + shares[number]).square() - dealt_shares.square()).sum(1).argmin())
        fold_of_group[number] = fold
        dealt_shares[fold] += shares[number]
    return fold_of_group[group]
