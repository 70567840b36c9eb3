"""Labelled images in memory's reach: what a network is fine-tuned on."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images and what they show, row for row.

    pixels: uint8 [M, 3, H, W], resized and cropped, of which row i is `pixels[places[i]]`; places: int64 [N]. So rows are picked without copying
    what may be a file far larger than memory. digests: of the image files. targets: int64 [N], indices in `class_names`, or bool [N, C]. groups: int64 [N],
    rows with the same number share a fold; None: every row stands for itself.
    """

    pixels: Tensor
    places: Tensor
    digests: tuple[bytes, ...]
    targets: Tensor
    class_names: tuple[str, ...]
    groups: Tensor | None = None

    def __len__(self) -> int:
        return len(self.targets)

    def rows(self, index: Tensor) -> "LabelledImages":
        """The rows that `index` picks: int64 [M]."""
        groups = None if self.groups is None else self.groups[index]
        digests = tuple(self.digests[row] for row in index.tolist())
        return LabelledImages(self.pixels, self.places[index], digests, self.targets[index], self.class_names, groups)

    def batch(self, rows: Tensor) -> Tensor:
        """The pixels of some rows, int64 [B]: uint8 [B, 3, H, W]."""
        return self.pixels[self.places[rows]]
