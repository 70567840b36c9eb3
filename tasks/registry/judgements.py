"""What the history says of the test rows: the judgements before, and the best champion so far."""

from collections.abc import Sequence

from tasks.registry.bars import barred
from tasks.registry.promotion_history import MOVES, Event
from thaw.gates.wear import Judgement


def judgements(history: Sequence[Event], version: int) -> tuple[Judgement, ...]:
    """The comparisons of other challengers than `version`, one each; a version that is judged again shows nothing new."""
    compared = {event.version: event for event in history if event.figures and event.version != version}
    return tuple(Judgement(int(event.figures["rows"]), tuple(event.sketch)) for event in compared.values())


def best_so_far(history: Sequence[Event], existing: Sequence[int], champion: int) -> int:
    """The anchor: the last version that was shown to be better than the anchor before it, if it still exists and is not barred; else the champion."""
    bars = barred(history)
    anchors = (event.anchor for event in reversed(history) if event.kind in MOVES and event.anchor is not None)
    return next((number for number in anchors if number in existing and number not in bars), champion)
