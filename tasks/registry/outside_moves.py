"""Moves of the alias `champion` that MLflow's own client or pages made: the history takes them in when Thaw first sees them."""

import secrets

from tasks.registry.attempt import now
from tasks.registry.bars import tag_barred
from tasks.registry.champion_move import make_move
from tasks.registry.promotion_history import LOST, OUTSIDE, Event, champions, last_move, next_move
from tasks.registry.registry import CHAMPION, Registry
from tasks.registry.write_once import Ledger

WHO = "outside Thaw"


def notice(registry: Registry) -> Event | None:
    """Record that the alias stands elsewhere than the history says, and return the entry; None if both agree, or a move of Thaw is on its way.

    The time of the entry is that of the notice, because MLflow does not keep the time of the move.
    """
    history = registry.history()
    champion, stack = registry.by_alias(CHAMPION), champions(history)
    expected, present = (stack[-1] if stack else None), (champion.number if champion else None)
    if present == expected or _is_moving(registry):
        return None
    if present is None:
        return _lost(registry, expected or 0)
    reason = (
        f"the alias was moved{'' if expected is None else f' from version {expected}'} by MLflow's own client or pages"
    )
    event = Event(
        OUTSIDE, now(), WHO, present, expected, reason, move=next_move(history), attempt=secrets.token_hex(8)
    )  # fmt: skip
    made = make_move(registry, event)
    tag_barred(registry)
    return made


def _lost(registry: Registry, expected: int) -> Event | None:
    """The entry of an alias that is gone; None if the history has it already."""
    last = registry.history()[-1]
    if (last.kind, last.version) == (LOST, expected):
        return None
    exists = expected in {version.number for version in registry.versions()}
    reason = "the alias was removed" if exists else "the version was deleted, and its alias with it"
    event = Event(LOST, now(), WHO, expected, expected, f"{reason} by MLflow's own client or pages")
    registry.record(event)
    return event


def _is_moving(registry: Registry) -> bool:
    history = registry.history()
    ledger, last = Ledger(registry), last_move(history)
    if ledger.settled(next_move(history)) is not None:
        return True
    return last is not None and not ledger.is_made(last.move or 0)
