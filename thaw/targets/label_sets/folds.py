"""Folds of a cross-validation on label sets: iterative stratification, whole groups together, every class always left in training.

Source: Sechidis, Tsoumakas and Vlahavas, "On the stratification of multi-label data", ECML PKDD 2011, algorithm 1.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from thaw.targets.target import NEVER


def assign_folds(targets: Tensor, *, folds: int, seed: int, groups: Tensor | None = None) -> Tensor:
    """The fold in which each row is held out, int64 [N], each from 0 to `folds - 1`, or `NEVER`.

    The rarest class is dealt first, each of its rows to the fold that lacks most of that class. If the training would have no row that shows a class, or none
    that does not, the rows in question (with their groups) are never held out.

    targets: bool [N, C]. groups: int64 [N]; rows of a group share a fold.
    """
    shown = targets.numpy()
    unit = np.arange(len(shown)) if groups is None else np.unique(groups.numpy(), return_inverse=True)[1]
    counts = np.zeros((int(unit.max(initial=-1)) + 1, shown.shape[1]), np.int64)
    np.add.at(counts, unit, shown)
    dealt = _deal(counts, np.bincount(unit), folds, np.random.default_rng(seed))[unit]
    kept = np.zeros(len(counts), np.bool_)
    for present in (shown, ~shown):
        held_out = np.zeros((folds, shown.shape[1]), np.int64)
        np.add.at(held_out, dealt, present)
        nothing_left = held_out == held_out.sum(0)
        np.logical_or.at(kept, unit, (present & nothing_left[dealt]).any(1))
    return torch.from_numpy(np.where(kept[unit], NEVER, dealt))


def _deal(
    counts: NDArray[np.int64], sizes: NDArray[np.int64], folds: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """The fold of each unit; counts [U, C]: its rows that show each class; sizes [U]: its rows."""
    wanted = np.tile(counts.sum(0) / folds, (folds, 1))
    room = np.full(folds, sizes.sum() / folds)
    fold_of = np.full(len(counts), NEVER, np.int64)
    order = generator.permutation(len(counts))
    order = order[np.argsort(-sizes[order], kind="stable")]

    def place(unit: int, lack: NDArray[np.float64]) -> None:
        best = np.flatnonzero(lack == lack.max())
        best = best[room[best] == room[best].max()]
        fold = int(best[0] if len(best) == 1 else generator.choice(best))
        fold_of[unit] = fold
        wanted[fold] -= counts[unit]
        room[fold] -= sizes[unit]

    while (left := counts[fold_of == NEVER].sum(0)).any():
        rarest = int(np.where(left > 0, left, np.iinfo(np.int64).max).argmin())
        for unit in order[(fold_of[order] == NEVER) & (counts[order, rarest] > 0)]:
            place(int(unit), wanted[:, rarest])
    for unit in order[fold_of[order] == NEVER]:
        place(int(unit), room)
    return fold_of
