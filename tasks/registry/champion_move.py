"""Moves of the alias `champion`. Of two processes that try at once exactly one succeeds and the other is told so, even on two machines with one MLflow.

MLflow sets an alias without a check of its old value. So a move is settled first. It has the number after the last move that its process has read, and the
first process to write under that number (`Ledger.settle`) makes the move; the second has decided on an outdated state. Then the move is added to the history,
and the alias follows last. After a kill in between the move is still settled, and the next process completes it: every step may be repeated, by any process.
"""

from tasks.registry.promotion_history import OUTSIDE, Event, event_from_json, last_move, next_move
from tasks.registry.registry import CHAMPION, Registry
from tasks.registry.version_page import tell_gates
from tasks.registry.write_once import Ledger


def make_move(registry: Registry, event: Event) -> Event:
    """Make the move `event`, unless another process has its number; returns the move that was made, which its `attempt` identifies."""
    stands = _parsed(registry, Ledger(registry).settle(event.move or 0, event.to_json()))
    _follow(registry, stands)
    return stands


def finish_move(registry: Registry) -> Event | None:
    """Complete and return the last move if a process was killed in it; None if every move is complete."""
    ledger, history = Ledger(registry), registry.history()
    left = ledger.settled(next_move(history))
    last = _parsed(registry, left) if left else last_move(history)
    if last is None or ledger.is_made(last.move or 0):
        return None
    _follow(registry, last)
    return last


def _follow(registry: Registry, event: Event) -> None:
    """Let the history and the alias follow a settled move.

    Another process may have made the next move and moved the alias meanwhile. So the alias follows the last move of the history, until no later one comes. A
    version that was deleted meanwhile leaves the alias as it is.
    """
    if all(entry.move != event.move for entry in registry.history()):
        registry.record(event)
    followed: Event | None = None
    while (last := last_move(registry.history())) and last != followed:
        if last.version in {version.number for version in registry.versions()}:
            registry.tag(last.version, promotion=last.kind, reason=last.reason)
            tell_gates(registry, last)
            if last.kind != OUTSIDE:  # the alias was there first
                registry.set_alias(CHAMPION, last.version)
        Ledger(registry).mark_made(last.move or 0)
        followed = last


def _parsed(registry: Registry, text: str) -> Event:
    return event_from_json(text, f"a parameter `thaw.promotion.*` of an MLflow run of {registry.name}")
