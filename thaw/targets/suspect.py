"""A label that looks wrong, whatever the target."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Suspect:
    """A label, or a set of them, that looks wrong.

    row: its place in the given rows. suggested: the places of the suggested classes. probability: of the suggestion, or with a set of the surest decision that
    would change. quality: the probability of the given label (cleanlab's self-confidence), or with a set of the worst decision, from 0 to 1; the lowest comes
    first.
    """

    row: int
    suggested: tuple[int, ...]
    probability: float
    quality: float
