"""`thaw status`: the state of the stages, the last metrics, and the versions behind the aliases."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.terminal import say_error

if TYPE_CHECKING:
    from flows.dvc.run_account import Account
    from flows.dvc.stage_graph import StageState
    from thaw.params.sections import Params

UP_TO_DATE = "up to date"
UNKNOWN = "not known"


def status(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Show the state of each stage and why it would run, the last metrics, and the aliases."""
    from flows.cli.terminal import out, print_json, table
    from flows.dvc.run_account import read_account
    from flows.dvc.stage_parameters import refuse_unnamed
    from flows.project.environment import enter_project
    from flows.runs.results import read_results
    from tasks.registry.listing import read_listing
    from tasks.registry.registry import CHALLENGER, CHAMPION
    from thaw.params.values.reading import read_params

    root = enter_project()
    params = read_params()
    refuse_unnamed(root)
    account, rows = read_account(root), _rows(root, params)
    listing = read_listing(params.registry)
    aliases = {alias: version.number for version in listing.versions for alias in version.aliases}
    results = read_results(root)
    if json:
        print_json(
            {
                "run": account,
                "stages": [{"name": name, "state": state, "why": why} for name, state, why in rows],
                "test": {metric.name: metric.value for metric in results.metrics},
                "rows": results.rows,
                "model": listing.name,
                "aliases": aliases,
            }
        )
        return
    screen = out()
    screen.print(table(("stage", "state", "why"), rows, whole=("stage", "state")))
    headline = results.headline
    if headline is not None:
        screen.print(f"Last measured: {headline.title} {headline.value:.3f} on {results.rows} test rows")
    serving = ", ".join(f"{alias} version {aliases[alias]}" for alias in (CHAMPION, CHALLENGER) if alias in aliases)
    screen.print(f"{listing.name}: {serving or 'no versions yet'}")
    if account is None and any(state not in (UP_TO_DATE, UNKNOWN) for _, state, _ in rows):
        screen.print("`thaw run` brings it up to date.", style="dim")


def _rows(root: Path, params: "Params") -> list[tuple[str, str, str]]:
    """Each stage with its state and the reason; during a run by the account that the run keeps, for DVC gives none then."""
    from concurrent.futures import ThreadPoolExecutor

    from flows.dvc.foreseen import foresee_states, unhanded, without_handing
    from flows.dvc.run_account import read_account
    from flows.dvc.stage_graph import read_pipeline, read_stages, up_to_date
    from flows.project.errors import DvcBusy

    if account := read_account(root):
        return [(stage.name, *_state_in_run(stage.name, account)) for stage in read_stages(root)]
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(read_pipeline, root)  # DVC needs a second, in a process of its own
        handed = unhanded(root, params)
    try:
        pipeline = asked.result()
    except DvcBusy as busy:
        say_error(str(busy))
        return [(stage.name, UNKNOWN, "DVC is at work") for stage in read_stages(root)]
    stages, changed = without_handing(pipeline.stages), foresee_states(root, pipeline, handed)
    fresh = up_to_date(stages, changed)
    return [(stage.name, *_state(stage.name in fresh, changed.get(stage.name))) for stage in stages]


def _state_in_run(name: str, account: "Account") -> tuple[str, str]:
    at_work = {each.stage: each for each in account.at_work}
    if name in account.done:
        return UP_TO_DATE, ""
    return ("running", str(at_work[name])) if name in at_work else (UNKNOWN, "the run has not come to it")


def _state(fresh: bool, change: "StageState | None") -> tuple[str, str]:
    if fresh:
        return UP_TO_DATE, ""
    if change is None:
        return "waiting", "a stage above it will run"
    return ("missing" if change.missing else "changed"), "; ".join(change.reasons)
