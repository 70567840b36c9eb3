"""`thaw run`: run the pipeline as the flow `transfer`."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from flows.runs.outcome import Transfer
    from flows.runs.results import Results
    from thaw.kinds.kind import Words


def run(  # noqa: PLR0917  # one parameter an option
    stage: Annotated[str | None, typer.Option(help="Run only this stage, such as `head`.")] = None,
    until: Annotated[
        str | None, typer.Option(help="Run this stage and the stages that it needs, such as `extract`.")
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", "-S", metavar="KEY=VALUE", help="First change params.yaml, as `thaw config set` does."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Run even stages that are up to date.")] = False,
    no_promote: Annotated[bool, typer.Option("--no-promote", help="Leave the champion as it is.")] = False,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="End at once if another run is in progress, instead of waiting.")
    ] = False,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds after which a stage is stopped.")] = 21600,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Bring everything up to date: the stages that must run, then a version of the model, and its promotion."""
    if stage is not None and until is not None:
        raise typer.BadParameter(
            "--stage runs one stage alone, --until also runs the stages that it needs: give only one of the two"
        )
    from flows.cli.config import assign
    from flows.cli.terminal import print_json, say_changed_code, say_warnings
    from flows.cli.watching import Printed, say_wait
    from flows.dvc.run_lock import run_lock
    from flows.dvc.stage_parameters import refuse_unknown, refuse_unnamed
    from flows.prefect_server.run_server import begin
    from flows.project.creation.upgrade import follow_installed_code
    from flows.project.environment import enter_project, quiet_console
    from flows.project.errors import DvcFailed
    from flows.runs.outcome import Selection
    from flows.runs.results import read_results
    from flows.runs.settled import asking, nothing_to_do
    from flows.runs.watcher import watcher
    from thaw.params.values.reading import PARAMS, read_params

    root = enter_project()
    refuse_unknown(root, stage, until)
    with Printed() as printed, run_lock(root, wait=not no_wait, on_wait=say_wait), asking():
        printed.prepares("asking DVC what must run")
        if changes:
            assign(root, changes, quiet=json)
        say_changed_code(follow_installed_code(root))
        outcome = None
        if stage is None and not force:
            params = read_params(root / PARAMS)
            refuse_unnamed(root)
            with suppress(DvcFailed):  # the checks that follow say why in better words
                outcome = nothing_to_do(root, params, Selection(until=until), promote=not no_promote)
        if outcome is None:
            ready = begin(root)
            printed.prepares("looking at the data, the weights and the registry")
            from flows.runs.preflight import preflight

            say_warnings(preflight(root, whole=stage is None and until is None).warnings)
            printed.prepares("starting Prefect")
            quiet_console()
            watcher.set(printed)
            from flows.runs.run_form import ALL
            from flows.runs.transfer import transfer

            ready()
            outcome = transfer(
                stage=stage or ALL, until=until or ALL, force=force, promote=not no_promote, timeout_s=timeout
            )
        else:
            for result in outcome.stages:
                printed.ends(result)
    stages = {result.stage for result in outcome.stages}
    results = read_results(root).of_run(stages, registers=outcome.registered is not None)
    if json:
        print_json(_as_json(outcome, results))
    else:
        _summarise(outcome, results)


def _as_json(outcome: "Transfer", results: "Results") -> dict[str, object]:
    return {
        "nothing_to_do": outcome.nothing_to_do,
        "stages": [
            {"name": result.stage, "outcome": str(result.outcome), "seconds": round(result.seconds, 2)}
            for result in outcome.stages
        ],
        "test": {metric.name: metric.value for metric in results.metrics},
        "rows": results.rows,
        "report": results.report,
        "model": results.registered,
        "promotion": None if outcome.promotion is None else str(outcome.promotion),
    }


def _summarise(outcome: "Transfer", results: "Results") -> None:
    """Print the products of the run, their places, and commands to try next."""
    from flows.cli.next_commands import next_commands
    from flows.cli.terminal import out
    from thaw.params.values.kind import kind_of
    from thaw.params.values.reading import read_params

    screen = out()
    screen.print()
    if outcome.nothing_to_do:
        screen.print("Nothing to do: every stage is up to date.", style="bold")
    words = kind_of(read_params()).words
    for name, value in _products(outcome, results, words):
        screen.print(f"{name:<10} {value}", soft_wrap=True, markup=False)
    screen.print()
    screen.print("Next:", style="bold")
    for command, purpose in next_commands(outcome, words):
        screen.print(f"  {command:<34} [dim]{purpose}[/dim]", soft_wrap=True)


def _products(outcome: "Transfer", results: "Results", words: "Words") -> list[tuple[str, str]]:
    products: list[tuple[str, str]] = []
    headline = results.headline
    if headline is not None:
        interval = f" ({headline.low:.3f} to {headline.high:.3f})" if headline.low is not None else ""
        products.append(
            (
                headline.title[0].upper() + headline.title[1:],
                f"{headline.value:.3f}{interval} on {results.rows} test {words.many}",
            )
        )
    if results.report is not None:
        products.append(("Report", str(_short(results.report))))
    if results.registered is not None:
        products.append(("Model", results.registered.uri))
    if outcome.promotion is not None:
        products.append(("Promotion", str(outcome.promotion)))
    return products


def _short(path: Path) -> Path:
    """The path relative to the working directory; the working directory is the project."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
