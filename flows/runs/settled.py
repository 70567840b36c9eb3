"""A run with nothing to do, seen before Prefect is loaded or a server started: DVC is asked once, and MLflow's store is as the last run has left it."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from flows.daemon.source_state import RUN, Handled, look, now, write_handled
from flows.dvc.output_parser import Outcome
from flows.dvc.reproduce import Result
from flows.dvc.stage_graph import Pipeline, read_pipeline
from flows.prefect_server.running_server import running
from flows.project.environment import STATE
from flows.runs.outcome import Selection, Transfer, choose
from tasks.project.paths import REGISTERED, TRACKED
from thaw.foundation.files.atomic import write_bytes
from thaw.foundation.files.state import state_of
from thaw.params.sections import Params

SETTLED = STATE / "settled.json"
"""The record of the last whole run after which the registry had no more to do."""
STORE = STATE / "mlflow.db"
asked: ContextVar[Pipeline | None] = ContextVar("asked", default=None)
"""DVC's answer, for the run that begins with it; None: it has not been asked."""


@dataclass(frozen=True)
class Settled:
    """A registry with no more to do. state: what that depends on. champion: the version that is champion and challenger; None: promotion is not automatic."""

    state: str
    champion: int | None


_ADAPTER = TypeAdapter(Settled)


@contextmanager
def asking() -> Iterator[None]:
    """One run, after which DVC's answer no longer holds."""
    token = asked.set(None)
    try:
        yield
    finally:
        asked.reset(token)


def nothing_to_do(root: Path, params: Params, selection: Selection, *, promote: bool = True) -> Transfer | None:
    """The outcome of a run that finds everything up to date; None: there is something to do, or MLflow must be asked.

    DVC's answer is left in `asked`, within `asking`.

    Raises:
        DvcBusy, DvcFailed: see `read_pipeline`.
    """
    source, began = look(root, params), now()
    pipeline = read_pipeline(root)
    asked.set(pipeline)
    chosen = [stage.name for stage in choose(pipeline.stages, selection)]
    if not pipeline.fresh.issuperset(chosen):
        return None
    results = tuple(Result(name, Outcome.UP_TO_DATE, 0.0, "") for name in chosen)
    if selection != Selection():
        return Transfer(results)
    settled = _read(root)
    if settled is None or settled.state != _state(root, params):
        return None
    if source is not None:
        write_handled(root / RUN, Handled(source, began))
    return _settled(root, params, results, settled.champion if promote else None)


def record_settled(root: Path, params: Params, outcome: Transfer) -> None:
    """Keep that the registry has no more to do after a whole run, if that is so."""
    promotion = outcome.promotion
    champion = promotion.version if promotion is not None and promotion.promoted else None
    if outcome.registered is None or (params.promotion.automatic and champion is None):
        (root / SETTLED).unlink(missing_ok=True)
    elif state := _state(root, params):
        write_bytes(root / SETTLED, _ADAPTER.dump_json(Settled(state, champion)))


def _read(root: Path) -> Settled | None:
    try:
        return _ADAPTER.validate_json((root / SETTLED).read_bytes())
    except (OSError, ValidationError):
        return None


def _state(root: Path, params: Params) -> str | None:
    """What the record depends on; None if MLflow's store is not the project's own, whose file shows that nothing was written."""
    if os.environ.get("MLFLOW_TRACKING_URI", "") not in ("", running(root).get("mlflow")):
        return None
    files = [state_of(root / path) for path in (STORE, Path(f"{STORE}-wal"), TRACKED, REGISTERED)]
    return json.dumps([files, params.registry.model_dump(mode="json"), params.promotion.automatic], sort_keys=True)


def _settled(root: Path, params: Params, results: tuple[Result, ...], champion: int | None) -> Transfer:
    from tasks.registry.attempt import Promotion
    from tasks.registry.registering import Registered

    registered = Registered(**json.loads((root / REGISTERED).read_text(encoding="utf-8")))
    if champion is None:
        return Transfer(results, registered)
    name = params.registry.name
    return Transfer(results, registered, Promotion(name, champion, champion, promoted=True, moved=False, reason=""))
