"""Places of texts in one row after another, without padding, and the way back."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Bucket:
    """Windows of similar length. taken: int64 [N * K], the rows of their places, with row 0 behind the end of a shorter window. known: bool [N, K], whether a
    place is in its window; None: all are."""

    taken: Tensor
    known: Tensor | None
    windows: int


@dataclass(frozen=True, eq=False)
class Packing:
    """P places of B texts, in the order of the texts. places: int64 [P], the number of each place in its text. back: int64 [P], the row of each place in the
    buckets' windows, one bucket below the other. mask: bool [B, T], whether a place is there."""

    places: Tensor
    buckets: tuple[Bucket, ...]
    back: Tensor
    mask: Tensor

    def unpacked(self, rows: Tensor) -> Tensor:
        """Float32 [B, T, D] with zeros in the places that are not there; rows: float [P, D]."""
        whole = torch.zeros(*self.mask.shape, rows.shape[1])
        whole[self.mask] = rows.float()
        return whole


def packing_of(mask: Tensor, window: int, multiple: int) -> Packing:
    """The packing of texts that are read in windows of `window` places; mask: bool [B, T].

    A bucket holds the windows whose lengths are the same after they are rounded up to a multiple of `multiple`.
    """
    text, places = mask.nonzero(as_tuple=True)
    windows = text * (1 + mask.shape[1] // window) + places // window
    _, owner, lengths = windows.unique_consecutive(return_inverse=True, return_counts=True)
    starts = lengths.cumsum(0) - lengths
    sizes = (lengths + multiple - 1) // multiple * multiple
    buckets, first, before = [], torch.zeros_like(starts), 0
    for size in sizes.unique().tolist():
        chosen = (sizes == size).nonzero()[:, 0]
        spots = torch.arange(size)
        known = spots < lengths[chosen][:, None]
        taken = torch.where(known, starts[chosen][:, None] + spots, 0).flatten()
        buckets.append(Bucket(taken, None if known.all() else known, len(chosen)))
        first[chosen] = before + size * torch.arange(len(chosen))
        before += size * len(chosen)
    back = first[owner] + torch.arange(len(places)) - starts[owner]
    return Packing(places, tuple(buckets), back, mask)
