"""The history of promotions: an append-only list of the result of each attempt, and the former champions that follow from it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from thaw.foundation.errors import RegistryError
from thaw.foundation.files.graphemes import end_before
from thaw.gates.outcome import Outcome, Verdict

PROMOTE, REFUSE, ROLLBACK, RELEASE, OUTSIDE, LOST = "promote", "refuse", "rollback", "release", "outside", "lost"
MOVES = frozenset({PROMOTE, ROLLBACK, OUTSIDE})
"""The entries after which another version has the alias."""

LONGEST_REASON, LONGEST_WORDS = 1000, 130
"""The most letters of an entry's texts, because data bases of MLflow hold 5000 in a tag. The report of the promotion has the whole texts."""


@dataclass(frozen=True)
class Event:
    """One entry: a move of the alias `champion`, its refusal, or the release of a version, with the user, the time and the reason."""

    kind: str
    """`promote`, `refuse`, `rollback`, `release` (of a barred version), `outside` (a move outside Thaw) or `lost` (no version has the alias)."""
    when: str
    """UTC, ISO 8601; of a move outside Thaw, the time when Thaw noticed it."""
    who: str
    version: int
    """The challenger that was judged; the restored champion of a rollback."""
    former: int | None
    """The champion before."""
    reason: str
    flow_run: str = ""
    """The Prefect flow run's id."""
    figures: Mapping[str, float] = field(default_factory=dict)
    """The figures of the decision; see `thaw.gates.paired_test.Figures`."""
    gates: tuple[Outcome, ...] = ()
    """The outcome of each gate, shortened; empty for a rollback, and for entries older than the gates."""
    move: int | None = None
    """The number of the move, counted from 1; None: the alias did not move, or the entry is older than the count. See `tasks.registry.champion_move`."""
    attempt: str = ""
    """A random text of a move; it distinguishes two equal moves."""
    anchor: int | None = None
    """The best champion so far, after a promotion."""
    sketch: tuple[str, ...] = ()
    """The sketch of the test rows of the comparison; see `thaw.gates.wear`."""
    override: str = ""
    """The reason of a person to promote the version although gates refused it."""

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    def says_the_same_as(self, other: "Event") -> bool:
        """Whether both are equal except for the time and the user."""
        return (self.kind, self.version, self.former, self.reason, dict(self.figures), self.gates) == (
            other.kind, other.version, other.former, other.reason, dict(other.figures), other.gates,
        )  # fmt: skip


def event_from_json(text: str, origin: str) -> Event:
    """Parse an entry; keys of a later version of Thaw are left out.

    Raises:
        RegistryError: the text is no entry; the message names `origin`.
    """
    known = {entry.name for entry in fields(Event)}
    try:
        values = json.loads(text)
        kept = {name: value for name, value in values.items() if name in known}
        gates = tuple(_outcome(entry) for entry in kept.get("gates", ()))
        return Event(**kept | {"gates": gates, "sketch": tuple(kept.get("sketch", ()))})
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise RegistryError(
            f"{origin} is no entry of the promotion history ({error}); mend or delete it in MLflow"
        ) from error


def in_short(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """The outcomes as an entry holds them: without figures, and with at most `LONGEST_WORDS` letters of their short words."""
    return tuple(replace(outcome, words=cut(outcome.short, LONGEST_WORDS), figures={}) for outcome in outcomes)


def cut(text: str, longest: int) -> str:
    """The text; if it is too long, its beginning with an ellipsis."""
    return text if len(text) <= longest else f"{text[: end_before(text, longest - 1)]}…"


def last_move(history: Sequence[Event]) -> Event | None:
    """The latest of the counted moves."""
    return max((event for event in history if event.move is not None), key=lambda event: event.move or 0, default=None)


def next_move(history: Sequence[Event]) -> int:
    """The number of the move after all moves of the history; moves older than the count are included."""
    moves = sum(event.kind in MOVES for event in history)
    return 1 + max([moves, *(event.move for event in history if event.move is not None)])


def _outcome(values: Mapping[str, Any]) -> Outcome:
    known = {entry.name for entry in fields(Outcome)}
    kept = {name: value for name, value in values.items() if name in known}
    return Outcome(**kept | {"verdict": Verdict(kept["verdict"])})


def champions(history: Sequence[Event]) -> tuple[int, ...]:
    """The champions that led to the present one, the oldest first: a promotion adds a version, a rollback removes the versions after its target. A move outside
    Thaw back to a former champion is a rollback.

    An event that is recorded twice, because of a kill between the event and the alias, counts once.
    """
    stack: tuple[int, ...] = ()
    for event in history:
        stack = _after(stack, event)
    return stack


def returns(history: Sequence[Event]) -> Iterator[Event]:
    """The moves back to a former champion, the oldest first."""
    stack: tuple[int, ...] = ()
    for event in history:
        if _is_return(stack, event):
            yield event
        stack = _after(stack, event)


def _is_return(stack: tuple[int, ...], event: Event) -> bool:
    return event.kind in (ROLLBACK, OUTSIDE) and event.version in stack[:-1]


def _after(stack: tuple[int, ...], event: Event) -> tuple[int, ...]:
    """The champions that led to the one after `event`; stack: those before it."""
    if event.kind not in MOVES or stack[-1:] == (event.version,):
        return stack
    if _is_return(stack, event):
        last = max(place for place, number in enumerate(stack) if number == event.version)
        return stack[: last + 1]
    return (*stack, event.version)


def champions_before(history: Sequence[Event], present: int | None) -> tuple[int, ...]:
    """The champions before `present`, the latest first, each once.

    All champions are returned if `present` is None (the alias is gone) or became the champion outside Thaw.
    """
    stack = list(champions(history))
    if present in stack:
        while stack[-1] != present:
            stack.pop()
    return tuple(dict.fromkeys(number for number in reversed(stack) if number != present))
