"""`thaw status`: the state of the stages, the last metrics, and the versions behind the aliases."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from flows.dvc.stage_graph import StageState


def status(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Show the state of each stage and why it would run, the last metrics, and the aliases."""
    from flows.cli.terminal import out, print_json, table
    from flows.dvc.foreseen import foresee_states, without_settings
    from flows.dvc.stage_graph import read_stages, up_to_date
    from flows.project.environment import enter_project
    from flows.runs.preflight import refuse_unnamed
    from flows.runs.results import read_results
    from tasks.registry.registry import CHALLENGER, CHAMPION, open_registry
    from thaw.params.values.reading import read_params

    root = enter_project()
    params = read_params()
    refuse_unnamed(root)
    stages, changed = without_settings(read_stages(root)), foresee_states(root, params)
    fresh = up_to_date(stages, changed)
    rows = [(stage.name, *_state(stage.name in fresh, changed.get(stage.name))) for stage in stages]
    registry = open_registry(params.registry)
    aliases = {alias: version.number for version in registry.versions() for alias in version.aliases}
    results = read_results(root)
    if json:
        print_json(
            {
                "stages": [{"name": name, "state": state, "why": why} for name, state, why in rows],
                "test": {metric.name: metric.value for metric in results.metrics},
                "rows": results.rows,
                "model": registry.name,
                "aliases": aliases,
            }
        )
        return
    screen = out()
    screen.print(table(("stage", "state", "why"), rows, whole=("stage", "state")))
    headline = results.headline
    if headline is not None:
        screen.print(f"Last measured: {headline.title} {headline.value:.3f} on {results.rows} test examples")
    serving = ", ".join(f"{alias} version {aliases[alias]}" for alias in (CHAMPION, CHALLENGER) if alias in aliases)
    screen.print(f"{registry.name}: {serving or 'no versions yet'}")
    if len(fresh) < len(stages):
        screen.print("`thaw run` brings it up to date.", style="dim")


def _state(fresh: bool, change: "StageState | None") -> tuple[str, str]:
    if fresh:
        return "up to date", ""
    if change is None:
        return "waiting", "a stage above it will run"
    return ("missing" if change.missing else "changed"), "; ".join(change.reasons)
