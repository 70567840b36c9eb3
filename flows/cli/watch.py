"""`thaw watch`: whether new examples are like the examples that the model was measured on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from flows.runs.watch import Watched


def watch(
    paths: Annotated[
        list[str] | None,
        typer.Argument(help="New examples or folders of examples, as `thaw predict` takes them.", show_default=False),
    ] = None,
    scores: Annotated[
        Path | None, typer.Option(help="A table of scores, in the place of examples.", exists=True)
    ] = None,
    retrain: Annotated[
        bool, typer.Option("--retrain", help="If drift is found, run the pipeline, once for the same examples.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Label new examples and say whether they have drifted: the examples themselves, the labels, the confidence, the share of `neither`. Ends with 5 if so.

    They are compared with the held-out examples that are stored with each version. Of all batches without drift, at most the share watch.false_alarms is
    reported as drifted. Figures are in data/drift/drift.html; the history is in the experiment NAME-watch in MLflow.
    """
    if bool(paths) == (scores is not None):
        raise typer.BadParameter("give examples and folders of them, or a table with --scores")
    from flows.cli.exits import Exit
    from flows.cli.terminal import print_json
    from flows.cli.watching import Printed
    from flows.prefect_server.run_server import begin
    from flows.project.environment import enter_project, quiet_console
    from flows.runs.watcher import watcher

    # Relative paths are the caller's, so they are resolved before the project becomes the working directory.
    sources, table = [_absolute(path) for path in paths or ()], scores and str(scores.resolve())
    root = enter_project()
    quiet_console()
    ready = begin(root)
    with Printed() as printed:
        watcher.set(printed)
        from flows.runs.watch import watch as flow

        ready()
        watched = flow(sources, retrain=retrain, scores=table)
    if json:
        print_json(_as_json(watched))
    else:
        _say(watched)
    raise typer.Exit(Exit.DRIFT if watched.report.drifted else Exit.DONE)


def _absolute(path: str) -> str:
    return path if "://" in path else str(Path(path).expanduser().absolute())


def _as_json(watched: "Watched") -> dict[str, object]:
    from dataclasses import asdict

    from thaw.drift import words

    return {
        "verdict": words.verdict(watched.report),
        "drifted": [finding.what for finding in watched.report.drifted],
        "enough": watched.report.enough,
        **asdict(watched),
    }


def _say(watched: "Watched") -> None:
    from flows.cli.terminal import out, table
    from thaw.drift import words

    report, screen = watched.report, out()
    screen.print(words.verdict(report), style="yellow" if report.drifted else "bold", markup=False)
    for line in words.lines(report):
        screen.print(f"  {line}", markup=False)
    if report.findings:
        rows = [
            (
                words.TITLES[finding.what],
                f"{finding.statistic:.4g}",
                words.p(finding.p_value),
                words.p(finding.adjusted),
                "drifted" if finding.drifted else "",
            )
            for finding in report.findings
        ]
        screen.print(table(("what", "statistic", "p", "p, all tests together", ""), rows))
    for remark in words.remarks(report):
        screen.print(remark, style="dim", markup=False)
    if watched.repeated:
        screen.print("The same examples were measured before; the history keeps only one entry.", style="dim")
    if watched.retraining:
        screen.print(watched.retraining, markup=False)
    if steps := words.next_steps(report):
        screen.print("Next:", style="bold")
        for step in steps if watched.retraining else (*steps, words.RETRAIN):
            screen.print(f"  {step}", markup=False)
    screen.print(f"With figures: {watched.page}", style="dim", soft_wrap=True, markup=False)
