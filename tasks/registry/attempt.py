"""One attempt to move the alias `champion`: its result, and the move itself, which two processes never make both."""

import getpass
import secrets
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.project.locks import exclusive
from tasks.registry.champion_move import make_move
from tasks.registry.mlflow_store import STATE
from tasks.registry.promotion_history import ROLLBACK, Event, next_move
from tasks.registry.registry import Registry
from thaw.foundation.errors import InUse
from thaw.gates.outcome import Outcome

if TYPE_CHECKING:  # SciPy takes a tenth of a second to load
    from thaw.gates.paired_test import Figures

LOCK = STATE / "promotion.lock"


@dataclass(frozen=True)
class Promotion:
    """The result of an attempt.

    version: the challenger that was judged, or the restored champion. former: the champion before. promoted: whether `version` is the champion now, or would be
    after a dry run. moved: whether this attempt moved the alias. repeated: whether the same refusal was recorded before. gates: the outcomes; empty if no gate
    was asked. page: the report of the outcomes; None if no gate was asked. test_rows: the wear of the test rows in words; "" if no models were compared.
    """

    name: str
    version: int
    former: int | None
    promoted: bool
    moved: bool
    reason: str
    figures: "Figures | None" = None
    repeated: bool = False
    gates: tuple[Outcome, ...] = ()
    page: Path | None = None
    test_rows: str = ""

    def __str__(self) -> str:
        return f"{self.headline}: {self.reason}" if self.reason else self.headline

    @property
    def headline(self) -> str:
        """The result without its reason, such as `version 2 stays the challenger`."""
        if self.version == self.former:
            return f"version {self.version} is the champion already"
        if not self.promoted:
            return f"version {self.version} stays the challenger{', as before' if self.repeated else ''}"
        return f"version {self.version} {'is the champion now' if self.moved else 'would become the champion'}"


def alone() -> AbstractContextManager[None]:
    """Keep other attempts on this machine out, until the end of the block."""
    return exclusive(LOCK)


def user() -> str:
    """The name of the person, or of the service, behind an entry."""
    return getpass.getuser()


def now() -> str:
    """UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def move(registry: Registry, event: Event, history: Sequence[Event]) -> Promotion | None:
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
    again = "thaw rollback" if event.kind == ROLLBACK else "thaw promote"
    raise InUse(
        f"version {event.version} of {registry.name} is not the champion: version {made.version} became the champion meanwhile, because {by}; "
        f"see `thaw models log`, and run `{again}` again if you still want it"
    )


def completed(registry: Registry, event: Event) -> Promotion:
    """The result of a move that another process was killed in and this one completed."""
    from thaw.gates.paired_test import Figures

    figures = Figures(**event.figures) if event.figures else None  # type: ignore[arg-type]
    return Promotion(
        registry.name, event.version, event.former, promoted=True, moved=True, reason=event.reason, figures=figures,
        gates=event.gates,
    )  # fmt: skip
