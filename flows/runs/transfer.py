"""The flow that brings the pipeline up to date: each of DVC's stages is a Prefect task."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Literal

from prefect import Task, flow, get_run_logger, runtime, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.futures import PrefectFuture, wait
from prefect.states import Completed
from prefect.tasks import exponential_backoff

from flows.daemon.source_state import RUN, Handled, look, now, write_handled
from flows.dvc.output_parser import Outcome
from flows.dvc.reproduce import Order, Reproductions, Result, log_of
from flows.dvc.run_account import Keeper
from flows.dvc.run_lock import Holder, run_lock
from flows.dvc.stage_graph import read_pipeline
from flows.dvc.stage_parameters import refuse_unknown
from flows.prefect_server.crash_recovery import refuse_after_kills
from flows.prefect_server.temporary_server import hold_temporary_server
from flows.project.creation.upgrade import follow_installed_code
from flows.project.environment import find_project
from flows.project.errors import RunInProgress, StageFailed, StageMayPass
from flows.runs.artifacts import publish
from flows.runs.outcome import Selection, Transfer, choose
from flows.runs.preflight import preflight
from flows.runs.run_form import ALL, StageName, name_run, only_stage
from flows.runs.settled import asked, record_settled
from flows.runs.watcher import watcher
from tasks.project.paths import TRACKED
from tasks.registry import registering
from tasks.registry.attempt import Promotion
from tasks.registry.listing import read_listing
from tasks.registry.mlflow_store import is_local
from tasks.registry.registering import Registered, is_tracked
from tasks.registry.version_page import data_name, run_name
from thaw.foundation.errors import Unreachable
from thaw.params.sections import Params

TRACK = "track"
NOTHING_TO_DO = "Nothing to do: every stage is up to date"
RETRIES = 5
_BACKOFF_S = 2
"""The first pause before another try; each later pause is twice as long."""
TIMEOUT_S = 6 * 3600.0
"""Seconds after which a stage is stopped, unless the run sets another limit."""


@flow(name="transfer", validate_parameters=True)
def transfer(  # noqa: PLR0917  # one parameter a field of the form on Prefect's pages
    stage: StageName = ALL,
    until: StageName = ALL,
    force: bool = False,
    promote: bool = True,
    timeout_s: float = TIMEOUT_S,
    busy: Literal["wait", "skip"] = "wait",
    why: str = "",
) -> "Transfer | State[Transfer]":
    """Bring the pipeline up to date: every stage that DVC says must run, then a version of the new model, and its promotion.

    Args:
        stage: only this stage, such as `head`; `all`: all stages, the version and the promotion
        until: this stage and all stages that it needs, such as `advise`; `all`: all stages
        force: run stages even if nothing has changed
        promote: end with the promotion, if `promotion.automatic` in params.yaml allows it
        timeout_s: seconds after which a stage is stopped, with all its processes
        busy: if another run holds the project: `wait` for its end, or `skip` this run
        why: the reason for the run, for later readers
    """
    logger = get_run_logger()
    hold_temporary_server()
    refuse_after_kills()
    if why:
        logger.info("Started because %s", why)
    root = find_project(Path.cwd())
    os.chdir(root)

    def on_wait(holder: Holder) -> None:
        logger.info("%s; waiting for it", holder)
        watcher.get().waits(holder)

    selection = Selection(only_stage(stage), only_stage(until))
    refuse_unknown(root, selection.only, selection.until)
    whole = selection == Selection()
    try:
        with run_lock(root, wait=busy == "wait", on_wait=on_wait):
            if changed := follow_installed_code(root):
                logger.info("The installed Thaw has other code for %s", ", ".join(changed))
            ready = preflight(root, whole=whole)  # now, because the run may have waited for hours
            for warning in ready.warnings:
                logger.warning(str(warning))
            params = ready.params
            name_run(", ".join((data_name(params), *selection.names())))
            source, began = look(root, params), now()
            keeper = Keeper(root)
            results = _reproduce(root, selection, keeper, force=force, timeout_s=timeout_s)
            outcome = Transfer(results)
            if whole and (root / TRACKED).is_file():
                if not is_tracked(params):  # the files came from another machine, or MLflow is another server now
                    results = _tracked_again(root, results, keeper, timeout_s)
                with keeper.work("register"):
                    outcome = Transfer(results, register(params, str(runtime.flow_run.id or "")))
                name_run(run_name(params))
            publish(root)
            if outcome.nothing_to_do:
                logger.info(NOTHING_TO_DO)
            if whole and promote and params.promotion.automatic:
                with keeper.work("promote"):
                    outcome = replace(outcome, promotion=_promote())
            if outcome.registered is not None and is_local():
                read_listing(params.registry)  # MLflow is loaded now; `thaw models` need not load it again
            if whole:
                record_settled(root, params, outcome)
            if whole and source is not None:
                write_handled(root / RUN, Handled(source, began))
    except RunInProgress as error:
        return Completed(name="Skipped", message=f"{error.holder}; this run was skipped", data=Transfer(()))
    return Completed(message=NOTHING_TO_DO, data=outcome) if outcome.nothing_to_do else outcome


def _tracked_again(root: Path, results: tuple[Result, ...], keeper: Keeper, timeout_s: float) -> tuple[Result, ...]:
    """The results with those of the stage `track`, which has run although its file is up to date."""
    tracked = _reproduce(root, Selection(only=TRACK), keeper, force=True, timeout_s=timeout_s)
    again = {result.stage: result for result in tracked}
    return tuple(again.get(result.stage, result) for result in results)


def _promote() -> Promotion:
    from flows.runs.promote import promote

    return promote()


def _reproduce(
    root: Path, selection: Selection, keeper: Keeper, *, force: bool, timeout_s: float
) -> tuple[Result, ...]:
    """Reproduce the selected stages, each as soon as the stages above it have finished."""
    pipeline = asked.get() or read_pipeline(root)
    stages = choose(pipeline.stages, selection)
    fresh = frozenset[str]() if force or selection.only else pipeline.fresh
    reproductions = Reproductions(root)
    futures: dict[str, PrefectFuture[Result]] = {}
    try:
        for stage in stages:
            stage_task = reproduce.with_options(name=stage.name, task_run_name=stage.name)
            order = Order(stage.name, force, timeout_s, flow_run=str(runtime.flow_run.id or ""))
            futures[stage.name] = stage_task.submit(
                order,
                None if stage.name in fresh else reproductions,
                keeper,
                wait_for=[futures[above] for above in stage.upstream if above in futures],
                return_state=False,
            )
        wait(list(futures.values()))
    except BaseException:  # Ctrl-C, or Prefect's signal to stop: no stage outlives its run
        reproductions.stop()
        raise
    return _results(futures)


def _may_pass(task: "Task[..., object]", run: TaskRun, state: "State[object]") -> bool:
    return isinstance(state.data, StageMayPass | Unreachable)


@task(
    name="register",
    task_run_name="register",
    cache_policy=NO_CACHE,
    retries=RETRIES,
    retry_delay_seconds=exponential_backoff(_BACKOFF_S),
    retry_condition_fn=_may_pass,
    persist_result=False,
)
def register(params: Params, flow_run: str) -> Registered:
    """Make a version of the tracked model, unless there is one."""
    registered = registering.register(params, flow_run=flow_run)
    get_run_logger().info("%s is the challenger", registered.model_uri)
    return registered


@task(
    cache_policy=NO_CACHE,  # DVC alone knows what is up to date
    retries=RETRIES,
    retry_delay_seconds=exponential_backoff(_BACKOFF_S),
    retry_condition_fn=_may_pass,
    persist_result=False,
)
def reproduce(order: Order, reproductions: Reproductions | None, keeper: Keeper) -> Result:
    """Reproduce one stage; None for `reproductions` means that the stage is up to date and DVC is not called again."""
    logger = get_run_logger()
    watching = watcher.get()
    if reproductions is None:
        result = Result(order.stage, Outcome.UP_TO_DATE, 0.0, "")
    else:
        watching.starts(order.stage)
        keeper.starts(order.stage)

        def on_line(line: str) -> None:
            logger.info(line)
            watching.says(order.stage, line)
            keeper.says(order.stage, line)

        result = reproductions.run(order, on_line)
    watching.ends(result)
    keeper.ends(order.stage, done=result.outcome.done)
    if not result.outcome.done:
        raise (StageMayPass if result.outcome.may_pass else StageFailed)(_say(result))
    logger.info("%s: %s, %.1f s", result.stage, result.outcome, result.seconds)
    return result


_ENDINGS = {
    Outcome.FAILED: ("failed", "correct that"),
    Outcome.TIMED_OUT: ("was stopped", "find the cause, or give it more time with --timeout"),
    Outcome.BUSY: ("is busy", "wait until that process has ended"),
    Outcome.TRANSIENT: ("failed for now", "try again later"),
}
"""The event in words, and advice."""


def _say(result: Result) -> str:
    happened, advice = _ENDINGS[result.outcome]
    return f"stage `{result.stage}` {happened}: {result.reason}; {advice}"


def _results(futures: "dict[str, PrefectFuture[Result]]") -> tuple[Result, ...]:
    """The results of all stages.

    Raises:
        StageFailed: a stage failed; the message names the stage, the reason, the finished stages and advice.
    """
    completed = [name for name, future in futures.items() if future.state.is_completed()]
    failed = [name for name, future in futures.items() if future.state.is_failed()]
    if failed:
        error = futures[failed[0]].result(raise_on_failure=False)
        before = f"finished stages are kept ({', '.join(completed)})" if completed else "no stage finished before it"
        raise StageFailed(f"{error}; {before}, and `thaw run` continues from there. Its output: {log_of(failed[0])}")
    return tuple(future.result() for future in futures.values())
