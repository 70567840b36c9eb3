"""The history of promotions: an append-only list of what became of each attempt, and what it says of former champions."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields

from thaw.errors import RegistryError

PROMOTE, REFUSE, ROLLBACK = "promote", "refuse", "rollback"


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
    """What the decision rests on; see `thaw.promotion.Figures`."""

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    def says_the_same_as(self, other: "Event") -> bool:
        """Whether both tell the same, leaving out when and by whom."""
        return (self.kind, self.version, self.former, self.reason, dict(self.figures)) == (
            other.kind, other.version, other.former, other.reason, dict(other.figures),
        )  # fmt: skip


def event_from_json(text: str, origin: str) -> Event:
    """Parse an entry; keys that a later version may have added are left out.

    Raises:
        RegistryError: it is no entry; the message names `origin`.
    """
    known = {one.name for one in fields(Event)}
    try:
        values = json.loads(text)
        return Event(**{name: value for name, value in values.items() if name in known})
    except (ValueError, TypeError, AttributeError) as error:
        raise RegistryError(
            f"{origin} is no entry of the promotion history ({error}); mend or delete it in MLflow"
        ) from error


def champions(history: Sequence[Event]) -> tuple[int, ...]:
    """The champions that led to the present one, the oldest first: a promotion adds one, a rollback takes away what is above it.

    An event that is told twice, because a kill came between the event and the alias, counts once.
    """
    stack: list[int] = []
    for event in history:
        if event.kind == ROLLBACK:
            while stack and stack[-1] != event.version:
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
