"""Batches of prepared examples: one tensor, or a mapping of tensors where an example is more than one. Every function takes both."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

Batch = Tensor | Mapping[str, Tensor]
"""Prepared examples [B, ...]; a mapping where there is more than one tensor, such as values and the mask of their padding. Each of its tensors has B rows."""


def changed(batch: Batch, change: Callable[[Tensor], Tensor]) -> Batch:
    """The batch with `change` applied to each tensor."""
    return change(batch) if isinstance(batch, Tensor) else {name: change(tensor) for name, tensor in batch.items()}


def tensor_of(batch: Batch) -> Tensor:
    """The one tensor of a kind whose batches are tensors."""
    assert isinstance(batch, Tensor)
    return batch


def rows_in(batch: Batch) -> int:
    """How many examples a batch has."""
    return len(batch) if isinstance(batch, Tensor) else len(next(iter(batch.values())))


def nbytes(batch: Batch) -> int:
    """Bytes of all tensors."""
    return batch.nbytes if isinstance(batch, Tensor) else sum(tensor.nbytes for tensor in batch.values())


def taken(batch: Batch, rows: Tensor) -> Batch:
    """Some rows, int64 [M]."""
    return changed(batch, lambda tensor: tensor[rows])


def split(batch: Batch, size: int) -> Iterator[Batch]:
    """The batch in pieces of `size` rows, the last one with what is left."""
    for start in range(0, rows_in(batch), size):
        yield changed(batch, lambda tensor, start=start: tensor[start : start + size])  # type: ignore[misc]


def examples_in(batch: Batch) -> list[Batch]:
    """The examples one by one, without their first dimension."""
    return [changed(batch, lambda tensor, row=row: tensor[row]) for row in range(rows_in(batch))]  # type: ignore[misc]


def alone(example: Batch) -> Batch:
    """An example as a batch of one."""
    return changed(example, lambda tensor: tensor.unsqueeze(0))


def moved(batch: Batch, device: torch.device) -> Batch:
    """The batch on a device."""
    return changed(batch, lambda tensor: tensor.to(device))


def as_floats(batch: Batch, dtype: torch.dtype) -> Batch:
    """Floating tensors in another precision; masks and token numbers stay as they are."""
    return changed(batch, lambda tensor: tensor.to(dtype) if tensor.is_floating_point() else tensor)


def laid_out(batch: Batch) -> Batch:
    """Maps [B, C, H, W] with their channels last in memory, which convolutions run faster on; all else as it is."""
    last = torch.channels_last
    return changed(batch, lambda tensor: tensor.contiguous(memory_format=last) if tensor.dim() == 4 else tensor)


def stacked(examples: Sequence[Batch]) -> Batch:
    """Examples as a batch. The tensors of a mapping may differ in their first dimension: shorter ones get zeros at their end."""
    first = examples[0]
    if isinstance(first, Tensor):
        return torch.stack([tensor_of(example) for example in examples])
    return {name: _padded([_part(example, name) for example in examples]) for name in first}


def _part(example: Batch, name: str) -> Tensor:
    assert not isinstance(example, Tensor)
    return example[name]


def _padded(tensors: Sequence[Tensor]) -> Tensor:
    if tensors[0].dim() == 0:
        return torch.stack(list(tensors))
    longest = max(len(tensor) for tensor in tensors)
    rest = [0, 0] * (tensors[0].dim() - 1)  # of dimensions after the first, which torch names from the last on
    return torch.stack([F.pad(tensor, [*rest, 0, longest - len(tensor)]) for tensor in tensors])
