"""`thaw advise`: the strategy that pays on these data, in plain words."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from thaw.kinds.kind import Words
    from thaw.strategies.advice.record import Advice
    from thaw.strategies.triggers.record import TriggerAdvice


def advise(
    force: Annotated[bool, typer.Option("--force", help="Measure again, even if nothing has changed.")] = False,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds after which a stage is stopped.")] = 21600,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Say which strategy pays on these data and why, what the others cost, and what more labels would bring."""
    from flows.cli.refreshed import refreshed
    from flows.project.environment import enter_project

    root = enter_project()
    with refreshed(root, "advise", timeout, force=force):
        _tell(root, json=json)


def _tell(root: Path, *, json: bool) -> None:
    """Print the advice of the project."""
    from flows.cli.terminal import print_json
    from tasks.project.paths import ADVICE
    from thaw.params.values.kind import kind_of
    from thaw.params.values.reading import read_params
    from thaw.strategies.advice.record import as_json, read_advice
    from thaw.strategies.triggers import record as on_triggers

    if on_triggers.is_on_triggers(root / ADVICE):
        found = on_triggers.read_trigger_advice(root / ADVICE)
        print_json(on_triggers.as_json(found)) if json else _say_on_triggers(found)
        return
    advice = read_advice(root / ADVICE)
    if json:
        print_json(as_json(advice))
    else:
        _say(advice, kind_of(read_params()).words)


def _say_on_triggers(advice: "TriggerAdvice") -> None:
    from flows.cli.terminal import out, table
    from tasks.project.paths import ADVICE_PAGE
    from thaw.strategies.triggers.record import heading, rows_of, verdict

    screen = out()
    screen.print()
    screen.print(verdict(advice), style="bold", markup=False)
    if advice.trials:
        screen.print(table(heading(advice), rows_of(advice), whole=("trigger", "strategy")))
    screen.print(f"As a page: {ADVICE_PAGE / 'advice.html'}", style="dim", soft_wrap=True, markup=False)


def _say(advice: "Advice", examples: "Words") -> None:
    from flows.cli.terminal import out, table
    from tasks.project.paths import ADVICE_PAGE
    from thaw.strategies.advice import words
    from thaw.strategies.advice.curve_words import prospects

    screen = out()
    screen.print()
    screen.print(words.verdict(advice), style="bold", markup=False)
    for paragraph in words.paragraphs_of(advice, examples):
        screen.print()
        screen.print(paragraph, markup=False)
    screen.print()
    rows = [
        (
            f"{row.name} *" if row.followed else row.name,
            row.accuracy,
            row.judged,
            row.linear,
            row.gain,
            row.training,
            row.megabytes,
            row.speed,
        )
        for row in words.option_rows(advice, examples)
    ]
    screen.print(table(words.columns(advice, examples), rows, whole=("strategy", "model", "training")))
    for row in words.option_rows(advice, examples):
        if row.note:
            screen.print(f"{row.name}: {row.note}", style="dim", markup=False)
    screen.print("More labels:", style="bold")
    for line in prospects(advice, examples):
        screen.print(f"  {line}", markup=False)
    screen.print("Next:", style="bold")
    for line in words.next_steps(advice, examples):
        screen.print(f"  {line}", markup=False)
    screen.print(f"With figures: {ADVICE_PAGE / 'advice.html'}", style="dim", soft_wrap=True, markup=False)
