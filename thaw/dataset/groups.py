"""Groups of examples, as numbers; the examples of a group must share a fold."""

from collections.abc import Sequence

import numpy as np
import torch

from thaw.dataset.manifest import Example
from thaw.foundation.statistics.bootstrap import IntArray


def group_numbers(rows: Sequence[Example]) -> torch.Tensor | None:
    """The number of each row's group, int64; a row without a group has its own number. None: no row has a group."""
    if all(row.group is None for row in rows):
        return None
    names = [(False, row.path) if row.group is None else (True, row.group) for row in rows]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return torch.tensor([numbers[name] for name in names], dtype=torch.int64)


def groups_of(rows: Sequence[Example]) -> IntArray | None:
    """`group_numbers` for statistics, int64 [N]."""
    numbers = group_numbers(rows)
    return None if numbers is None else np.asarray(numbers.numpy(), np.int64)
