"""Groups of examples, as numbers; the examples of a group must share a fold."""

from collections.abc import Sequence

import torch

from thaw.dataset.manifest import Example


def group_numbers(rows: Sequence[Example]) -> torch.Tensor | None:
    """The number of each row's group, int64; a row without a group has its own number. None: no row has a group."""
    if all(row.group is None for row in rows):
        return None
    names = [(False, row.path) if row.group is None else (True, row.group) for row in rows]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return torch.tensor([numbers[name] for name in names], dtype=torch.int64)
