"""Moving the alias `champion`: forward by the rule, back by the history; every decision is recorded, either way."""

import getpass
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from tasks.registry import CHALLENGER, CHAMPION, Event, ModelVersion, Registry, open_registry
from thaw.errors import RegistryError
from thaw.params import Params, PromotionParams
from thaw.predictions import Predictions, read_predictions
from thaw.promotion import Decision, decide

PREDICTIONS = "report/predictions.parquet"


@dataclass(frozen=True)
class Promotion:
    """What became of an attempt: `promoted` says whether the alias stands at `version` now; `moved` whether this attempt moved it."""

    name: str
    version: int
    former: int | None
    promoted: bool
    moved: bool
    reason: str

    def __str__(self) -> str:
        if not self.promoted:
            return f"version {self.version} stays the challenger: {self.reason}"
        if not self.moved:
            return f"version {self.version} is the champion already"
        return f"version {self.version} is the champion now: {self.reason}"


def promote(params: Params, *, dry_run: bool = False, flow_run: str = "") -> Promotion:
    """Compare the challenger with the champion, and move the alias if the rule allows it; `dry_run` only says what would happen.

    Running it again changes nothing: a challenger that is the champion stays it, and the same refusal is not recorded twice.

    Raises:
        RegistryError: there is no challenger.
    """
    registry = open_registry(params.registry)
    challenger, champion = registry.by_alias(CHALLENGER), registry.by_alias(CHAMPION)
    if challenger is None:
        raise RegistryError(f"{registry.name} has no version with the alias `{CHALLENGER}`; `thaw run` registers one")
    former = champion.number if champion else None
    if former == challenger.number:
        return Promotion(registry.name, challenger.number, former, promoted=True, moved=False, reason="")
    decision = compare_versions(registry, champion, challenger, params.promotion)
    moved = decision.promote and not dry_run
    if moved:
        registry.set_alias(CHAMPION, challenger.number)
    if not dry_run:
        _record(registry, decision, challenger.number, former, flow_run)
    return Promotion(registry.name, challenger.number, former, decision.promote, moved, decision.reason)


def rollback(params: Params, *, dry_run: bool = False, flow_run: str = "") -> Promotion:
    """Give the alias back to the champion before the present one; run again, to the one before that.

    Raises:
        RegistryError: there is no champion, or none before it, or the one before was deleted.
    """
    registry = open_registry(params.registry)
    champion = registry.by_alias(CHAMPION)
    if champion is None:
        raise RegistryError(f"{registry.name} has no champion to roll back from; `thaw models` shows the versions")
    former = former_champion(registry.history(), champion.number)
    if former is None:
        raise RegistryError(f"version {champion.number} is the first champion of {registry.name}; there is none to go back to")
    restored = registry.version(former)
    reason = f"rolled back from version {champion.number}"
    if not dry_run:
        registry.set_alias(CHAMPION, restored.number)
        registry.record(_event("rollback", restored.number, champion.number, reason, flow_run))
        registry.tag(restored.number, promotion="rollback", reason=reason)
    return Promotion(registry.name, restored.number, champion.number, promoted=True, moved=not dry_run, reason=reason)


def former_champion(history: tuple[Event, ...], present: int) -> int | None:
    """The champion before `present`, by the promotion that made it the champion; None where it was the first."""
    promotions = [event for event in history if event.kind == "promote" and event.version == present]
    return promotions[-1].former if promotions else None


def compare_versions(
    registry: Registry, champion: ModelVersion | None, challenger: ModelVersion, params: PromotionParams
) -> Decision:
    """The decision on the predictions that both versions' runs hold."""
    with TemporaryDirectory() as folder:
        theirs = None if champion is None else _predictions(registry, champion, Path(folder) / "champion")
        return decide(theirs, _predictions(registry, challenger, Path(folder) / "challenger"), params)


def _predictions(registry: Registry, version: ModelVersion, folder: Path) -> Predictions:
    folder.mkdir()
    return read_predictions(registry.download(version, PREDICTIONS, folder))


def _record(registry: Registry, decision: Decision, version: int, former: int | None, flow_run: str) -> None:
    kind = "promote" if decision.promote else "refuse"
    event = _event(kind, version, former, decision.reason, flow_run)
    said = [(e.kind, e.version, e.former, e.reason) for e in registry.history()[-1:]]
    if kind == "promote" or said != [(event.kind, event.version, event.former, event.reason)]:
        registry.record(event)
    registry.tag(version, promotion=kind, reason=decision.reason)


def _event(kind: str, version: int, former: int | None, reason: str, flow_run: str) -> Event:
    when = datetime.now(UTC).isoformat(timespec="seconds")
    return Event(kind, when, getpass.getuser(), version, former, reason, flow_run)
