"""The largest allowed example, by the parameters."""

from typing import TYPE_CHECKING

from thaw.kinds.kind import Limits


class Limited:
    """A section of parameters that bounds the size of an example."""

    if TYPE_CHECKING:
        max_megapixels: float
        max_characters: int
        max_seconds: float

    @property
    def limits(self) -> Limits:
        """The bounds for the kind that reads the examples."""
        return Limits(int(self.max_megapixels * 1e6), self.max_characters, self.max_seconds)
