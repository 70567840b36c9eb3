"""Labelled prepared examples, for fine-tuning a network."""

from dataclasses import dataclass

from torch import Tensor

from thaw.kinds.batches import Batch, taken


@dataclass(frozen=True, eq=False)
class LabelledInputs:
    """Prepared examples and their labels, row for row.

    inputs: M prepared examples; row i is example number `places[i]`, int64 [N], so that rows are chosen without a copy of a file that may be far larger than
    memory. digests: of the files. targets: int64 [N], indices in `class_names`, or bool [N, C]. groups: int64 [N], rows with the same number share a fold;
    None: every row stands for itself.
    """

    inputs: Batch
    places: Tensor
    digests: tuple[bytes, ...]
    targets: Tensor
    class_names: tuple[str, ...]
    groups: Tensor | None = None

    def __len__(self) -> int:
        return len(self.targets)

    def rows(self, index: Tensor) -> "LabelledInputs":
        """The rows of `index`, int64 [M]."""
        groups = None if self.groups is None else self.groups[index]
        digests = tuple(self.digests[row] for row in index.tolist())
        return LabelledInputs(self.inputs, self.places[index], digests, self.targets[index], self.class_names, groups)

    def batch(self, rows: Tensor) -> Batch:
        """The prepared examples of some rows, int64 [B]."""
        return taken(self.inputs, self.places[rows])
