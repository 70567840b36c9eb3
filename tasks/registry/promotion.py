"""Promotions and rollbacks: the gates move the alias `champion` forward, the history moves it back, and every decision is recorded.

The alias moves last. A kill before that leaves the champion as it was, and the next try continues from there; see `tasks.registry.champion_move`.
"""

import getpass
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tasks.project.locks import exclusive
from tasks.registry.champion_move import finish_move, make_move
from tasks.registry.gate_evidence import gather
from tasks.registry.mlflow_store import STATE
from tasks.registry.promotion_history import (
    LONGEST_REASON,
    PROMOTE,
    REFUSE,
    ROLLBACK,
    Event,
    champions_before,
    cut,
    in_short,
    next_move,
)
from tasks.registry.registry import CHALLENGER, CHAMPION, Registry, open_registry
from thaw.foundation.errors import InUse, RegistryError
from thaw.foundation.files.atomic import write_text
from thaw.gates.deciding import Decision, decide
from thaw.gates.outcome import Outcome
from thaw.gates.page import Contest, render_decision
from thaw.gates.paired_test import Figures
from thaw.params.sections import Params
from thaw.params.values.resampling import resampling_of

LOCK = STATE / "promotion.lock"
PAGE = Path("data/promotion/promotion.html")


@dataclass(frozen=True)
class Promotion:
    """The result of an attempt.

    version: the challenger that was judged, or the restored champion. former: the champion before. promoted: whether `version` is the champion now, or would be
    after a dry run. moved: whether this attempt moved the alias. repeated: whether the same refusal was recorded before. gates: the outcomes; empty if no gate
    was asked. page: the report of the outcomes; None if no gate was asked.
    """

    name: str
    version: int
    former: int | None
    promoted: bool
    moved: bool
    reason: str
    figures: Figures | None = None
    repeated: bool = False
    gates: tuple[Outcome, ...] = ()
    page: Path | None = None

    def __str__(self) -> str:
        if self.version == self.former:
            return f"version {self.version} is the champion already{f': {self.reason}' if self.reason else ''}"
        if not self.promoted:
            return f"version {self.version} stays the challenger{', as before' if self.repeated else ''}: {self.reason}"
        return f"version {self.version} {'is the champion now' if self.moved else 'would become the champion'}: {self.reason}"


def promote(params: Params, *, dry_run: bool = False, force: bool = False, flow_run: str = "") -> Promotion:
    """Ask the gates about the challenger, and move the alias if none refuses; `data/promotion/promotion.html` shows their outcomes.

    A second call changes nothing: a challenger that is the champion stays the champion, and the same refusal is not recorded twice, unless `force` is set.
    `dry_run` reports the result of a promotion, and writes nothing to MLflow.

    Raises:
        RegistryError: there is no challenger, or the champion was deleted or lost its alias outside Thaw.
        InUse: another process moved the alias meanwhile.
    """
    with exclusive(LOCK):
        registry = open_registry(params.registry)
        finished = None if dry_run else finish_move(registry)
        history = registry.history()  # read before the aliases, so that a later move has the same number as ours
        challenger, champion = registry.by_alias(CHALLENGER), registry.by_alias(CHAMPION)
        if challenger is None:
            raise RegistryError(
                f"{registry.name} has no version with the alias `{CHALLENGER}`; `thaw run` registers one"
            )
        if finished is not None and (finished.kind, finished.version) == (PROMOTE, challenger.number):
            return _finished(registry, finished)
        if champion is None:
            _refuse_if_lost(registry)
        former = champion.number if champion else None
        if former == challenger.number:
            return Promotion(registry.name, challenger.number, former, promoted=True, moved=False, reason="")
        evidence = gather(registry, champion, challenger)
        decision = decide(evidence, params.promotion, resampling_of(params.statistics))
        event = _event(decision, challenger.number, former, flow_run)
        repeated = event.kind == REFUSE and any(event.says_the_same_as(entry) for entry in history[-1:])
        write_text(PAGE, render_decision(decision, Contest(registry.name, challenger.number, former, event.when)))
        if not dry_run and (force or not repeated):
            registry.log_file(challenger, PAGE, PAGE.parent.name)
        if not dry_run and decision.promote:
            lost = _move(registry, event, history)
            if lost is not None:
                return lost
        elif not dry_run:
            _refuse(registry, event, record=force or not repeated)
    return Promotion(
        registry.name, challenger.number, former, decision.promote, moved=decision.promote and not dry_run,
        reason=decision.reason, figures=decision.figures, repeated=repeated, gates=decision.outcomes, page=PAGE,
    )  # fmt: skip


def rollback(params: Params, *, to: int | None = None, dry_run: bool = False, flow_run: str = "") -> Promotion:
    """Give the alias back to the champion before the present one; a further call goes one champion further back. `to` names a former champion instead.

    Deleted versions are skipped, and the reason names them. If the champion itself is gone, the latest former champion that still exists gets the alias.

    Raises:
        RegistryError: there is no former champion, or `to` is none.
        InUse: another process moved the alias meanwhile.
    """
    with exclusive(LOCK):
        registry = open_registry(params.registry)
        finished = None if dry_run else finish_move(registry)
        if finished is not None and finished.kind == ROLLBACK and to in (None, finished.version):
            return _finished(registry, finished)
        history = registry.history()  # read before the alias, as in `promote`
        champion = registry.by_alias(CHAMPION)
        present = champion.number if champion else None
        if to is not None and to == present:
            return Promotion(registry.name, to, present, promoted=True, moved=False, reason="")
        target, reason = _destination(registry, history, present, to)
        if not dry_run:
            event = Event(ROLLBACK, _now(), getpass.getuser(), target, present, reason, flow_run)
            lost = _move(registry, event, history)
            if lost is not None:
                return lost
    return Promotion(registry.name, target, present, promoted=True, moved=not dry_run, reason=reason)


def _move(registry: Registry, event: Event, history: Sequence[Event]) -> Promotion | None:
    """Make the move that comes after `history`; None if our move was made, the result if another process made the same move.

    Raises:
        InUse: another process made a different move.
    """
    ours = replace(event, move=next_move(history), attempt=secrets.token_hex(8))
    made = make_move(registry, ours)
    if made.attempt == ours.attempt:
        return None
    by = f"{made.who} gave it the alias at the same time in another process"
    if (made.kind, made.version) == (ours.kind, ours.version):
        return Promotion(registry.name, made.version, made.version, promoted=True, moved=False, reason=by)
    again = "thaw promote" if event.kind == PROMOTE else "thaw rollback"
    raise InUse(
        f"version {event.version} of {registry.name} is not the champion: version {made.version} became the champion meanwhile, because {by}; "
        f"see `thaw models log`, and run `{again}` again if you still want it"
    )


def _refuse(registry: Registry, event: Event, *, record: bool) -> None:
    if record:
        registry.record(event)
    registry.tag(event.version, promotion=event.kind, reason=event.reason)


def _finished(registry: Registry, event: Event) -> Promotion:
    """The result of a move that another process was killed in and this one completed."""
    figures = Figures(**event.figures) if event.figures else None  # type: ignore[arg-type]
    return Promotion(
        registry.name, event.version, event.former, promoted=True, moved=True, reason=event.reason, figures=figures,
        gates=event.gates,
    )  # fmt: skip


def _refuse_if_lost(registry: Registry) -> None:
    """Refuse a promotion after the champion was deleted: the next version must not become the champion without a comparison."""
    before = champions_before(registry.history(), None)
    left = _left(registry, before)
    if left:
        raise RegistryError(
            f"the champion of {registry.name}, version {before[0]}, was deleted or lost its alias; "
            f"`thaw rollback` gives the alias to version {left[0]}, then promote again"
        )


def _destination(registry: Registry, history: Sequence[Event], present: int | None, to: int | None) -> tuple[int, str]:
    """The version to go back to, and the reason of the entry."""
    if to is not None:
        former = tuple(dict.fromkeys(entry.version for entry in reversed(history) if entry.kind != REFUSE))
        if to not in _left(registry, former):
            raise RegistryError(_not_there(registry, to, former))
        return to, _rollback_reason(present, ())
    before = champions_before(history, present)
    left = _left(registry, before)
    if not left:
        raise RegistryError(_nowhere_to_go(registry.name, present, before))
    return left[0], _rollback_reason(present, before[: before.index(left[0])])


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


def _nowhere_to_go(name: str, present: int | None, before: tuple[int, ...]) -> str:
    if before:
        gone = "they were deleted" if len(before) > 1 else "it was deleted"
        return f"{name} cannot go back to version {' or '.join(map(str, before))}: {gone}; `thaw models` lists the versions"
    if present is None:
        return f"{name} has had no champion to go back to; `thaw promote` makes the first"
    return f"version {present} is the first champion of {name}; there is no former champion"


def _rollback_reason(present: int | None, passed: tuple[int, ...]) -> str:
    start = "the champion was gone" if present is None else f"rolled back from version {present}"
    return f"{start}; version {', '.join(map(str, passed))}, champion before it, was deleted" if passed else start


def _event(decision: Decision, version: int, former: int | None, flow_run: str) -> Event:
    kind = PROMOTE if decision.promote else REFUSE
    return Event(
        kind, _now(), getpass.getuser(), version, former, cut(decision.reason, LONGEST_REASON), flow_run,
        figures=asdict(decision.figures) if decision.figures else {}, gates=in_short(decision.outcomes),
    )  # fmt: skip


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
