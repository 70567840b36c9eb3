"""Rollbacks: the history moves the alias `champion` back, and bars the version that it leaves."""

from collections.abc import Sequence

from tasks.registry.attempt import Promotion, alone, completed, move, now, user
from tasks.registry.bars import barred, tag_barred, why_barred
from tasks.registry.champion_move import finish_move
from tasks.registry.outside_moves import notice
from tasks.registry.promotion_history import MOVES, ROLLBACK, Event, champions_before
from tasks.registry.registry import CHAMPION, Registry, open_registry
from thaw.foundation.errors import RegistryError
from thaw.params.sections import Params


def rollback(
    params: Params, *, to: int | None = None, why: str = "", dry_run: bool = False, flow_run: str = ""
) -> Promotion:
    """Give the alias back to the champion before the present one; a further call goes one champion further back. `to` names a former champion instead.

    Deleted and barred versions are skipped, and the reason names them. If the champion itself is gone, the latest former champion that still exists gets the
    alias. The version that the alias leaves is barred, with the reason `why`, until a person releases it.

    Raises:
        RegistryError: there is no former champion, or `to` is none or is barred.
        InUse: another process moved the alias meanwhile.
    """
    with alone():
        registry = open_registry(params.registry)
        finished = None if dry_run else finish_move(registry)
        if finished is not None and finished.kind == ROLLBACK and to in (None, finished.version):
            tag_barred(registry)
            return completed(registry, finished)
        if not dry_run:
            notice(registry)
        history = registry.history()  # read before the alias, as in `promote`
        champion = registry.by_alias(CHAMPION)
        present = champion.number if champion else None
        if to is not None and to == present:
            return Promotion(registry.name, to, present, promoted=True, moved=False, reason="")
        target, reason = _destination(registry, history, present, to)
        reason = f"{reason}: {why}" if why else reason
        if not dry_run:
            event = Event(ROLLBACK, now(), user(), target, present, reason, flow_run)
            lost = move(registry, event, history)
            if lost is not None:
                return lost
            tag_barred(registry)
    return Promotion(registry.name, target, present, promoted=True, moved=not dry_run, reason=reason)


def _destination(registry: Registry, history: Sequence[Event], present: int | None, to: int | None) -> tuple[int, str]:
    """The version to go back to, and the reason of the entry."""
    bars = barred(history)
    if to is not None:
        former = tuple(dict.fromkeys(entry.version for entry in reversed(history) if entry.kind in MOVES))
        if to not in _left(registry, former):
            raise RegistryError(_not_there(registry, to, former))
        if to in bars:
            raise RegistryError(why_barred(to, bars[to]))
        return to, _reason(present, (), ())
    before = champions_before(history, present)
    left = _left(registry, before)
    free = [number for number in left if number not in bars]
    if not free:
        raise RegistryError(_nowhere_to_go(registry.name, present, before, left))
    passed = before[: before.index(free[0])]
    return free[0], _reason(present, tuple(n for n in passed if n not in left), tuple(n for n in passed if n in left))


def _left(registry: Registry, numbers: tuple[int, ...]) -> tuple[int, ...]:
    """The versions that still exist."""
    existing = {version.number for version in registry.versions()}
    return tuple(number for number in numbers if number in existing)


def _not_there(registry: Registry, to: int, former: tuple[int, ...]) -> str:
    fact = (
        f"version {to} of {registry.name} was deleted"
        if to in former
        else f"version {to} of {registry.name} was never the champion"
    )
    others = _left(registry, former)
    advice = (
        f"`thaw rollback --to` takes {' or '.join(map(str, others))}" if others else "there is no former champion left"
    )
    return f"{fact}; {advice}"


def _nowhere_to_go(name: str, present: int | None, before: tuple[int, ...], left: tuple[int, ...]) -> str:
    if left:
        return f"{name} cannot go back to version {_or(left)}: barred; `thaw promote --release {left[0]}` releases version {left[0]}"
    if before:
        gone = "they were deleted" if len(before) > 1 else "it was deleted"
        return f"{name} cannot go back to version {_or(before)}: {gone}; `thaw models` lists the versions"
    if present is None:
        return f"{name} has had no champion to go back to; `thaw promote` makes the first"
    return f"version {present} is the first champion of {name}; there is no former champion"


def _reason(present: int | None, deleted: tuple[int, ...], skipped: tuple[int, ...]) -> str:
    start = "the champion was gone" if present is None else f"rolled back from version {present}"
    gone = f"; version {', '.join(map(str, deleted))}, champion before it, was deleted" if deleted else ""
    closed = f"; version {', '.join(map(str, skipped))}, champion before it, is barred" if skipped else ""
    return f"{start}{gone}{closed}"


def _or(numbers: tuple[int, ...]) -> str:
    return " or ".join(map(str, numbers))
