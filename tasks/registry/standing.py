"""The standing of a version: what the history says of it last."""

from collections.abc import Sequence

from tasks.registry.bars import bar_words, barred
from tasks.registry.promotion_history import RELEASE, Event


def standing(history: Sequence[Event], number: int) -> str:
    """One sentence, such as `promote: the challenger is better`; "" if the history does not name the version."""
    bars = barred(history)
    if number in bars:
        return f"barred: {bar_words(bars[number])}"
    last = next((event for event in reversed(history) if event.version == number and event.kind != RELEASE), None)
    return "" if last is None else f"{last.kind}: {last.reason}"
