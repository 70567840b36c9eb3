"""Moving the alias `champion`: forward by the rule, back by the history; every decision is recorded, either way.

The alias moves last. A kill before that leaves an entry in the history and the champion as it was, and the next try goes on from there.
"""

import getpass
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from tasks.locks import exclusive
from tasks.mlflow_store import STATE
from tasks.promotion_history import PROMOTE, REFUSE, ROLLBACK, Event, champions_before
from tasks.registry import CHALLENGER, CHAMPION, ModelVersion, Registry, open_registry
from thaw.errors import RegistryError
from thaw.multilabel.predictions import LabelSetPredictions, read_any_predictions
from thaw.multilabel.promotion import decide_any
from thaw.params import Params, PromotionParams
from thaw.predictions import Predictions
from thaw.promotion import Decision, Figures

PREDICTIONS = "report/predictions.parquet"
LOCK = STATE / "promotion.lock"


@dataclass(frozen=True)
class Promotion:
    """What became of an attempt.

    `version` is the challenger that was looked at, or the restored champion; `former` the champion before. `promoted` says whether `version` is
    the champion now (or would be: a dry run); `moved` whether this attempt moved the alias; `repeated` whether the same was refused before.
    """

    name: str
    version: int
    former: int | None
    promoted: bool
    moved: bool
    reason: str
    figures: Figures | None = None
    repeated: bool = False

    def __str__(self) -> str:
        if self.version == self.former:
            return f"version {self.version} is the champion already"
        if not self.promoted:
            return f"version {self.version} stays the challenger{', as before' if self.repeated else ''}: {self.reason}"
        return f"version {self.version} {'is the champion now' if self.moved else 'would become the champion'}: {self.reason}"


def promote(params: Params, *, dry_run: bool = False, force: bool = False, flow_run: str = "") -> Promotion:
    """Compare the challenger with the champion, and move the alias if the rule allows it.

    Running it again changes nothing: a challenger that is the champion stays it, and the same refusal is not recorded twice, unless `force`
    wants it recorded. `dry_run` only says what would happen.

    Raises:
        RegistryError: there is no challenger, or the champion is gone by another hand than ours.
    """
    with exclusive(LOCK):
        registry = open_registry(params.registry)
        challenger, champion = registry.by_alias(CHALLENGER), registry.by_alias(CHAMPION)
        if challenger is None:
            raise RegistryError(
                f"{registry.name} has no version with the alias `{CHALLENGER}`; `thaw run` registers one"
            )
        if champion is None:
            _refuse_if_lost(registry)
        former = champion.number if champion else None
        if former == challenger.number:
            return Promotion(registry.name, challenger.number, former, promoted=True, moved=False, reason="")
        decision = compare_versions(registry, champion, challenger, params.promotion)
        event = _event(decision, challenger.number, former, flow_run)
        repeated = _is_repeated(registry, event)
        if not dry_run:
            _apply(registry, event, record=force or not repeated)
    return Promotion(
        registry.name, challenger.number, former, decision.promote,
        moved=decision.promote and not dry_run, reason=decision.reason, figures=decision.figures, repeated=repeated,
    )  # fmt: skip


def rollback(params: Params, *, dry_run: bool = False, flow_run: str = "") -> Promotion:
    """Give the alias back to the champion before the present one; run again, to the one before that.

    Versions that were deleted are passed over, and the reason says so. Where the champion itself is gone, the latest one that is left gets the alias.

    Raises:
        RegistryError: there is none to go back to.
    """
    with exclusive(LOCK):
        registry = open_registry(params.registry)
        champion = registry.by_alias(CHAMPION)
        present = champion.number if champion else None
        before = champions_before(registry.history(), present)
        left = _left(registry, before)
        if not left:
            raise RegistryError(_nowhere_to_go(registry.name, present, before))
        reason = _rollback_reason(present, before[: before.index(left[0])])
        if not dry_run:
            _apply(
                registry, Event(ROLLBACK, _now(), getpass.getuser(), left[0], present, reason, flow_run), record=True
            )
    return Promotion(registry.name, left[0], present, promoted=True, moved=not dry_run, reason=reason)


def compare_versions(
    registry: Registry, champion: ModelVersion | None, challenger: ModelVersion, params: PromotionParams
) -> Decision:
    """The decision on the predictions that both versions' runs hold."""
    with TemporaryDirectory() as folder:
        theirs = None if champion is None else _predictions(registry, champion, Path(folder) / "champion")
        return decide_any(theirs, _predictions(registry, challenger, Path(folder) / "challenger"), params)


def _predictions(registry: Registry, version: ModelVersion, folder: Path) -> Predictions | LabelSetPredictions:
    folder.mkdir()
    return read_any_predictions(registry.download(version, PREDICTIONS, folder))


def _apply(registry: Registry, event: Event, *, record: bool) -> None:
    if record:
        registry.record(event)
    registry.tag(event.version, promotion=event.kind, reason=event.reason)
    if event.kind != REFUSE:
        registry.set_alias(CHAMPION, event.version)


def _is_repeated(registry: Registry, event: Event) -> bool:
    """Whether the same was refused before, and nothing has happened since."""
    last = registry.history()[-1:]
    return event.kind == REFUSE and any(event.says_the_same_as(one) for one in last)


def _refuse_if_lost(registry: Registry) -> None:
    """A champion that somebody deleted must not make the next version the champion without a comparison."""
    before = champions_before(registry.history(), None)
    left = _left(registry, before)
    if left:
        raise RegistryError(
            f"the champion of {registry.name}, version {before[0]}, was deleted or lost its alias; "
            f"`thaw rollback` gives the alias to version {left[0]}, then promote again"
        )


def _left(registry: Registry, numbers: tuple[int, ...]) -> tuple[int, ...]:
    """Those of the versions that still exist."""
    existing = {version.number for version in registry.versions()}
    return tuple(number for number in numbers if number in existing)


def _nowhere_to_go(name: str, present: int | None, before: tuple[int, ...]) -> str:
    if before:
        gone = "they were deleted" if len(before) > 1 else "it was deleted"
        return f"{name} cannot go back to version {' or '.join(map(str, before))}: {gone}; `thaw models` shows what is left"
    if present is None:
        return f"{name} has had no champion to go back to; `thaw promote` makes the first"
    return f"version {present} is the first champion of {name}; there is none to go back to"


def _rollback_reason(present: int | None, passed: tuple[int, ...]) -> str:
    start = "the champion was gone" if present is None else f"rolled back from version {present}"
    return f"{start}; version {', '.join(map(str, passed))}, champion before it, was deleted" if passed else start


def _event(decision: Decision, version: int, former: int | None, flow_run: str) -> Event:
    kind = PROMOTE if decision.promote else REFUSE
    figures = asdict(decision.figures) if decision.figures else {}
    return Event(kind, _now(), getpass.getuser(), version, former, decision.reason, flow_run, figures)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
