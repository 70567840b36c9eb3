"""A label that looks wrong, whatever the target."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Suspect:
    """A label, or a set of them, that looks wrong.

    row: where it stands in the rows that were asked about. suggested: the places of the classes that it should rather be. probability: of the suggestion, of a
    set of the surest decision that would change. quality: the probability of what was given (cleanlab's self-confidence), of a set of the worst decision, from
    0 to 1; the lowest come first.
    """

    row: int
    suggested: tuple[int, ...]
    probability: float
    quality: float
