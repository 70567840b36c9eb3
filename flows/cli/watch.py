"""`thaw watch`: whether new images are like those that the model was measured on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from flows.runs.watch import Watched


def watch(
    paths: Annotated[
        list[str] | None,
        typer.Argument(help="New images, and folders of them: whatever `thaw predict` takes.", show_default=False),
    ] = None,
    scores: Annotated[
        Path | None, typer.Option(help="A table that is scored already, in the place of images.", exists=True)
    ] = None,
    retrain: Annotated[
        bool, typer.Option("--retrain", help="Where drift was found, run the pipeline; once for the same images.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Label new images and say whether they have drifted: the images themselves, the labels, the confidence, the share of `neither`. Ends with 5 if so.

    They are compared with held-out images that travel with each version. Of all batches that are like those, at most watch.false_alarms are said to have
    drifted. With figures: data/drift/drift.html; over time: the experiment NAME-watch in MLflow.
    """
    if bool(paths) == (scores is not None):
        raise typer.BadParameter("give images and folders of them, or a table with --scores")
    from flows.cli.exits import Exit
    from flows.cli.terminal import print_json
    from flows.cli.watching import Printed
    from flows.prefect_server.running_server import use_running_server
    from flows.project.environment import enter_project, quiet_console
    from flows.runs.watcher import watcher

    # Before the project becomes the working directory: relative paths are the caller's.
    sources, table = [_absolute(path) for path in paths or ()], scores and str(scores.resolve())
    root = enter_project()
    quiet_console()
    use_running_server(root)
    with Printed() as printed:
        watcher.set(printed)
        from flows.runs.watch import watch as flow

        found = flow(sources, retrain=retrain, scores=table)
    if json:
        print_json(_as_json(found))
    else:
        _say(found)
    raise typer.Exit(Exit.DRIFT if found.report.drifted else Exit.DONE)


def _absolute(path: str) -> str:
    return path if "://" in path else str(Path(path).absolute())


def _as_json(found: "Watched") -> dict[str, object]:
    from dataclasses import asdict

    from thaw.drift import words

    return {
        "verdict": words.verdict(found.report),
        "drifted": [one.what for one in found.report.drifted],
        "enough": found.report.enough,
        **asdict(found),
    }


def _say(found: "Watched") -> None:
    from flows.cli.terminal import out, table
    from thaw.drift import words

    report, screen = found.report, out()
    screen.print(words.verdict(report), style="yellow" if report.drifted else "bold", markup=False)
    for line in words.lines(report):
        screen.print(f"  {line}", markup=False)
    if report.findings:
        rows = [
            (
                words.TITLES[one.what],
                f"{one.statistic:.4g}",
                words.p(one.p_value),
                words.p(one.adjusted),
                "drifted" if one.drifted else "",
            )
            for one in report.findings
        ]
        screen.print(table(("what", "statistic", "p", "p, all tests together", ""), rows))
    for remark in words.remarks(report):
        screen.print(remark, style="dim", markup=False)
    if found.repeated:
        screen.print("The same images were measured before: the history has them once.", style="dim")
    if found.retraining:
        screen.print(found.retraining, markup=False)
    if steps := words.next_steps(report):
        screen.print("Next:", style="bold")
        for step in steps if found.retraining else (*steps, words.RETRAIN):
            screen.print(f"  {step}", markup=False)
    screen.print(f"With figures: {found.page}", style="dim", soft_wrap=True, markup=False)
