"""The common part of texts' preparations: texts become numbers, which need no normalisation."""

from typing import Self

from torch import Tensor

from thaw.foundation.errors import BadParameters
from thaw.kinds.batches import Batch, mapping_of
from thaw.kinds.texts.padded import MASK


class Numbered:
    """A part of a `Preprocessing`."""

    def normalise(self, batch: Batch) -> Batch:
        """Numbers of words and pieces need no normalisation."""
        return batch

    def normalise_plainly(self, batch: Batch) -> Batch:
        """See `normalise`."""
        return batch

    def scale_and_shift(self) -> None:
        """Numbers of words and pieces are not scaled."""
        return

    def mask(self, batch: Batch) -> Tensor:
        """See `Preprocessing`."""
        return mapping_of(batch)[MASK]

    def with_decoding(self, decoding: str) -> Self:
        """See `Preprocessing`."""
        if decoding != "exact":
            raise BadParameters(f"backbone.decoding: {decoding} given, and texts are always read exactly; set exact")
        return self

    def of_set(self, setting: str | None) -> Self:
        """See `Preprocessing`; every text is read alone."""
        return self
