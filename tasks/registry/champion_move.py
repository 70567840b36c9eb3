"""Moving the alias `champion`, so that of two who try at once exactly one does, and the other is told: also from two machines with one MLflow.

MLflow sets an alias without asking what it was. So a move is settled first: it has the number after the last one that its author has read of, and the first to
write under that number (`Ledger.settle`) has made it; whoever comes second has decided on a state that is no more. Then it goes into the history, and the alias
follows, last. Killed in between, the move stands, and the next who comes completes it: all steps may be done twice, by anyone.
"""

from tasks.registry.promotion_history import Event, event_from_json, last_move, next_move
from tasks.registry.registry import CHAMPION, Registry
from tasks.registry.write_once import Ledger


def make_move(registry: Registry, event: Event) -> Event:
    """Make the move `event`, unless that number is another's; returns the move that was made, which tells by its `attempt`."""
    stands = _parsed(registry, Ledger(registry).settle(event.move or 0, event.to_json()))
    _follow(registry, stands)
    return stands


def finish_move(registry: Registry) -> Event | None:
    """Complete the last move, where somebody was cut off in it, and return it; None where there is nothing to complete."""
    ledger, history = Ledger(registry), registry.history()
    left = ledger.settled(next_move(history))
    last = _parsed(registry, left) if left else last_move(history)
    if last is None or ledger.is_made(last.move or 0):
        return None
    _follow(registry, last)
    return last


def _follow(registry: Registry, event: Event) -> None:
    """Let the history and the alias follow a move that is settled.

    Somebody may have made the next one meanwhile, and have moved the alias before we do: so the alias follows the last move in the history until that stays
    the last. A version that was deleted meanwhile leaves the alias as it is.
    """
    if all(one.move != event.move for one in registry.history()):
        registry.record(event)
    followed: Event | None = None
    while (last := last_move(registry.history())) and last != followed:
        if last.version in {version.number for version in registry.versions()}:
            registry.tag(last.version, promotion=last.kind, reason=last.reason)
            registry.set_alias(CHAMPION, last.version)
        Ledger(registry).mark_made(last.move or 0)
        followed = last


def _parsed(registry: Registry, text: str) -> Event:
    return event_from_json(text, f"a parameter `thaw.promotion.*` of an MLflow run of {registry.name}")
