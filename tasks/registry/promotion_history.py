"""The history of promotions: an append-only list of what became of each attempt, and what it says of former champions."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from thaw.foundation.errors import RegistryError
from thaw.gates.outcome import Outcome, Verdict

PROMOTE, REFUSE, ROLLBACK = "promote", "refuse", "rollback"

LONGEST_REASON, LONGEST_WORDS = 1500, 150
"""Letters of an entry that are kept: data bases of MLflow hold 5000 in a tag. The report of the promotion has all of them."""


@dataclass(frozen=True)
class Event:
    """One entry: who moved the alias `champion`, or was refused to, when and why."""

    kind: str
    """`promote`, `refuse` or `rollback`."""
    when: str
    """UTC, ISO 8601."""
    who: str
    version: int
    """The challenger that was looked at; the restored champion of a rollback."""
    former: int | None
    """The champion before."""
    reason: str
    flow_run: str = ""
    """The Prefect flow run's id."""
    figures: Mapping[str, float] = field(default_factory=dict)
    """What the decision rests on; see `thaw.gates.paired_test.Figures`."""
    gates: tuple[Outcome, ...] = ()
    """What each gate said, in short; none of a rollback, nor of entries from before there were gates."""
    move: int | None = None
    """Which move of the alias it is, counted from 1; None: it moved nothing, or is from before moves were counted. See `tasks.registry.champion_move`."""
    attempt: str = ""
    """Of a move: tells two that say the same apart."""

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    def says_the_same_as(self, other: "Event") -> bool:
        """Whether both tell the same, leaving out when and by whom."""
        return (self.kind, self.version, self.former, self.reason, dict(self.figures), self.gates) == (
            other.kind, other.version, other.former, other.reason, dict(other.figures), other.gates,
        )  # fmt: skip


def event_from_json(text: str, origin: str) -> Event:
    """Parse an entry; keys that a later version may have added are left out.

    Raises:
        RegistryError: it is no entry; the message names `origin`.
    """
    known = {one.name for one in fields(Event)}
    try:
        values = json.loads(text)
        kept = {name: value for name, value in values.items() if name in known}
        return Event(**kept | {"gates": tuple(_outcome(one) for one in kept.get("gates", ()))})
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise RegistryError(
            f"{origin} is no entry of the promotion history ({error}); mend or delete it in MLflow"
        ) from error


def in_short(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """What an entry keeps of what the gates said: no figures, and no more words than fit."""
    return tuple(replace(one, words=cut(one.words, LONGEST_WORDS), figures={}) for one in outcomes)


def cut(text: str, longest: int) -> str:
    """The text, or its beginning with an ellipsis."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def last_move(history: Sequence[Event]) -> Event | None:
    """The latest of the moves that are counted."""
    return max((event for event in history if event.move is not None), key=lambda event: event.move or 0, default=None)


def next_move(history: Sequence[Event]) -> int:
    """The number of the move after all those in the history; moves from before they were counted count as well."""
    told = sum(event.kind != REFUSE for event in history)
    return 1 + max([told, *(event.move for event in history if event.move is not None)])


def _outcome(values: Mapping[str, Any]) -> Outcome:
    known = {one.name for one in fields(Outcome)}
    kept = {name: value for name, value in values.items() if name in known}
    return Outcome(**kept | {"verdict": Verdict(kept["verdict"])})


def champions(history: Sequence[Event]) -> tuple[int, ...]:
    """The champions that led to the present one, the oldest first: a promotion adds one, a rollback takes away what is above it.

    An event that is told twice, because a kill came between the event and the alias, counts once.
    """
    stack: list[int] = []
    for event in history:
        if event.kind == ROLLBACK and event.version in stack:
            while stack[-1] != event.version:
                stack.pop()
        if event.kind in (PROMOTE, ROLLBACK) and stack[-1:] != [event.version]:
            stack.append(event.version)
    return tuple(stack)


def champions_before(history: Sequence[Event], present: int | None) -> tuple[int, ...]:
    """The champions before `present`, the latest first, each once.

    All of them, where `present` is None (the alias is gone) or became champion by another hand than ours.
    """
    stack = list(champions(history))
    if present in stack:
        while stack[-1] != present:
            stack.pop()
    return tuple(dict.fromkeys(number for number in reversed(stack) if number != present))
