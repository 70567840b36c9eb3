"""Prepared examples that are veiled in one place each, on a grid of places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from thaw.kinds.batches import Batch


@dataclass(frozen=True, eq=False)
class Veils:
    """A prepared example with each place of a grid veiled, row after row: `without` has rows x columns examples."""

    rows: int
    columns: int
    without: tuple[Batch, ...]
