"""Batches of prepared examples: one tensor, or a mapping of tensors if an example has several. Every function takes both."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

Batch = Tensor | Mapping[str, Tensor]
"""Prepared examples [B, ...]; a mapping of several tensors, such as values and the mask of their padding. Each of its tensors has B rows."""


def changed(batch: Batch, change: Callable[[Tensor], Tensor]) -> Batch:
    """The batch with `change` applied to each tensor."""
    return change(batch) if isinstance(batch, Tensor) else {name: change(tensor) for name, tensor in batch.items()}


def tensor_of(batch: Batch) -> Tensor:
    """The one tensor of a kind whose batches are tensors."""
    assert isinstance(batch, Tensor)
    return batch


def mapping_of(batch: Batch) -> Mapping[str, Tensor]:
    """The tensors of a kind whose batches are mappings."""
    assert not isinstance(batch, Tensor)
    return batch


def rows_in(batch: Batch) -> int:
    """The number of examples in a batch."""
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
    """The batch with its floating-point tensors in another precision; masks and token numbers do not change."""
    return changed(batch, lambda tensor: tensor.to(dtype) if tensor.is_floating_point() else tensor)


def laid_out(batch: Batch) -> Batch:
    """Maps [B, C, H, W] with their channels last in memory, because convolutions are then faster; other batches do not change."""
    last = torch.channels_last
    return changed(batch, lambda tensor: tensor.contiguous(memory_format=last) if tensor.dim() == 4 else tensor)


def stacked(examples: Sequence[Batch]) -> Batch:
    """Examples as a batch. The tensors of a mapping may differ in their first dimension: shorter ones get zeros at their end."""
    first = examples[0]
    if isinstance(first, Tensor):
        return torch.stack([tensor_of(example) for example in examples])
    return {name: _padded([mapping_of(example)[name] for example in examples]) for name in first}


def length_of(example: Batch) -> int:
    """The number of places of an example without its first dimension; 0 if examples are one tensor of one shape."""
    return 0 if isinstance(example, Tensor) else max((len(part) for part in example.values() if part.dim()), default=0)


PLACES = 2**15
"""The most places of all examples in one pass: a layer of 1,536 values a place then takes 200 MB."""


def rows_at_once(batch: Batch) -> int:
    """The number of rows that one pass takes: all of them, unless they are long."""
    longest = (
        0 if isinstance(batch, Tensor) else max((part.shape[1] for part in batch.values() if part.dim() > 1), default=0)
    )
    return min(rows_in(batch), max(1, PLACES // longest)) if longest else rows_in(batch)


def grouped(examples: Sequence[Batch], size: int) -> list[list[int]]:
    """The numbers of the examples in groups of at most `size` of similar length: no example is more than twice as long as another of its group.

    Examples of one length keep their order.
    """
    groups: list[list[int]] = []
    for number in sorted(range(len(examples)), key=lambda number: length_of(examples[number])):
        longest = length_of(examples[number])
        if groups and len(groups[-1]) < size and longest <= 2 * length_of(examples[groups[-1][0]]):
            groups[-1].append(number)
        else:
            groups.append([number])
    return groups


def in_groups(examples: Sequence[Batch], size: int, compute: Callable[[Sequence[Batch]], Tensor]) -> Tensor:
    """The results of `compute`, [N, ...] in the order of the examples, computed in the groups of `grouped`; at least one example."""
    groups = grouped(examples, size)
    rows = torch.cat([compute([examples[number] for number in group]) for group in groups])
    return rows[torch.tensor([number for group in groups for number in group]).argsort()]


def trimmed(batch: Batch, mask: Tensor | None) -> Batch:
    """The batch without the places at its end that are padding in every example; mask: bool [B, T], None: there is no padding."""
    if mask is None or isinstance(batch, Tensor):
        return batch
    places = mask.shape[1]
    kept = max(1, int(mask.any(0).nonzero().max()) + 1 if mask.any() else 1)
    return changed(batch, lambda tensor: tensor[:, :kept] if tensor.dim() > 1 and tensor.shape[1] == places else tensor)


def joined_rows(parts: Sequence[Tensor]) -> Tensor:
    """Parts [B, ...] one below the other; bags int32 [B, L] of different lengths get -1 at their end."""
    longest = max(part.shape[1] for part in parts)
    return torch.cat(
        [part if part.shape[1] == longest else F.pad(part, (0, longest - part.shape[1]), value=-1) for part in parts]
    )


def _padded(tensors: Sequence[Tensor]) -> Tensor:
    if tensors[0].dim() == 0:
        return torch.stack(list(tensors))
    longest = max(len(tensor) for tensor in tensors)
    rest = [0, 0] * (tensors[0].dim() - 1)  # of dimensions after the first, which torch names from the last on
    return torch.stack([F.pad(tensor, [*rest, 0, longest - len(tensor)]) for tensor in tensors])
