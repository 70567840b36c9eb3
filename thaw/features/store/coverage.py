"""How much of the examples a backbone takes in: what it reads in windows, and the words that it does not know."""

from collections.abc import Iterator
from dataclasses import dataclass

from thaw.kinds.kind import Words

MUCH_UNKNOWN = 0.2
"""A larger share of unknown words is worth a warning."""


@dataclass(frozen=True)
class Coverage:
    """Counts over distinct examples.

    window: the most places that the backbone takes at once; None: any number. windowed: the examples that have more, among the `looked_at` longest ones.
    unknown: the share of words without a vector in a sample of so many examples; None: the backbone knows no words, or there are none.
    """

    window: int | None = None
    windowed: int = 0
    looked_at: int = 0
    unknown: float | None = None
    sample: int = 0

    @property
    def is_much_unknown(self) -> bool:
        """Whether so many words are unknown that another backbone may be better."""
        return self.unknown is not None and self.unknown > MUCH_UNKNOWN


def sentences(coverage: Coverage, words: Words, examples: int) -> Iterator[str]:
    """The counts in sentences; words: of the kind. examples: the number of distinct ones."""
    if coverage.window is not None:
        more = " or more" if coverage.windowed == coverage.looked_at < examples else ""
        are = "is" if coverage.windowed == 1 and not more else "are"
        yield (
            f"{coverage.windowed:,}{more} of {words.counted(examples)} {are} longer than the {coverage.window:,} pieces that the backbone takes at once, and "
            f"{are} read in windows that overlap; nothing is cut off"
        )
    if coverage.unknown is not None:
        yield f"{coverage.unknown:.1%} of the words in a sample of {words.counted(coverage.sample)} have no vector and do not count"
