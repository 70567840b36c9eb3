"""An architecture's tensors without their numbers, and a file's tensors on it: fitted, or different."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

COUNTER = "num_batches_tracked"
"""Buffers of batch normalisation that nothing depends on."""
_SHOWN = 3


@dataclass(frozen=True, eq=False)
class Outline:
    """An architecture's tensors without their numbers. tensors: by name, in order, on the device `meta`. classifier: the name of its module. children: the
    names of the top modules, in order."""

    architecture: str
    tensors: Mapping[str, torch.Tensor]
    parameters: frozenset[str]
    classifier: str
    children: tuple[str, ...]

    @property
    def head(self) -> str:
        """The top module with the classifier, as a prefix of names; the classifier itself if that module holds the network too."""
        top = f"{self.classifier.partition('.')[0]}."
        return f"{self.classifier}." if next(iter(self.tensors)).startswith(top) else top

    @property
    def trunk(self) -> list[str]:
        """The tensors below the head; counters and auxiliary classifiers, which no feature needs, are not among them."""
        return [name for name in self.tensors if not self.is_dispensable(name)]

    def is_dispensable(self, name: str) -> bool:
        """Whether a file may lack the tensor: it is the head's, an auxiliary classifier's, or a counter."""
        return name.startswith(self.head) or name.lower().startswith("aux") or name.endswith(COUNTER)


@dataclass(frozen=True, eq=False)
class Fitted:
    """A file's tensors under an architecture's names. tensors: all of the architecture. blank: names of tensors that the file lacks; they are zero.
    notes: sentences on what was renamed and left out."""

    architecture: str
    tensors: Mapping[str, torch.Tensor]
    blank: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Misfit:
    """An architecture that a file does not fit. likeness: the share of tensors that agree, from 0 to 1. differences: in words, the first ones first."""

    architecture: str
    likeness: float
    differences: tuple[str, ...]

    def __str__(self) -> str:
        more = len(self.differences) - _SHOWN
        return "; ".join(self.differences[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")
