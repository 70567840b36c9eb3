"""Detected events beside the true ones of a stream."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Truth:
    """A trigger in a stream, in seconds."""

    start_s: float
    end_s: float


@dataclass(frozen=True)
class Matched:
    """hits: (number of the event, number of the truth). missed: numbers of truths. false: numbers of events."""

    hits: tuple[tuple[int, int], ...]
    missed: tuple[int, ...]
    false: tuple[int, ...]


def match(events_s: Sequence[float], truths: Sequence[Truth], tolerance_s: float) -> Matched:
    """Match each true trigger with at most one event from its start to `tolerance_s` after its end; events_s: rising.

    As many pairs are made as can be: each event takes, of the free triggers around it, the one that ends first (Glover 1967). A second event of the same
    trigger is a false accept.
    """
    free = dict(enumerate(truths))
    hits, false = [], []
    for number, at in enumerate(events_s):
        around = [
            (truth.end_s, place) for place, truth in free.items() if truth.start_s <= at <= truth.end_s + tolerance_s
        ]
        if around:
            place = min(around)[1]
            hits.append((number, place))
            del free[place]
        else:
            false.append(number)
    return Matched(tuple(hits), tuple(free), tuple(false))
