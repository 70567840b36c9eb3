"""`thaw config show`, `thaw config explain` and `thaw config set`."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from flows.project.explain_param import Explanation
    from thaw.params.values.listing import Setting


_WIDEST = 20
"""Columns of a value; a longer one wraps, so that there is room for the meaning."""
_INDENT = 11
"""Columns before the text of a line that says something of a parameter."""

app = typer.Typer(
    help="Show, explain and change the parameters in params.yaml.",
    epilog="Example: thaw config show",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command(short_help="Show the usual parameters and all that differ.", epilog="Example: thaw config show --all")
def show(
    every: Annotated[bool, typer.Option("--all", help="Show every parameter.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print every parameter as one JSON object.")] = False,
) -> None:
    """Show the parameters that people change most, and all that differ from their defaults."""
    from flows.cli.terminal import out, print_json, table
    from flows.project.environment import enter_project
    from thaw.params.values.listing import USUAL, list_settings
    from thaw.params.values.reading import read_params

    enter_project()
    settings = list_settings(read_params())
    if json:
        print_json({setting.key: _as_json(setting) for setting in settings})
        return
    shown = [setting for setting in settings if every or setting.changed or setting.key in USUAL]
    rows = (
        (f"{'*' if setting.changed else ' '} {setting.key}", _say(setting.value), setting.brief) for setting in shown
    )
    grid = table(("  parameter", "value", "meaning"), rows, whole=["  parameter"])
    grid.columns[1].max_width = _WIDEST
    screen = out()
    screen.print(grid)
    screen.print("* differs from the default.", style="dim")
    if len(shown) < len(settings):
        screen.print(f"`thaw config show --all` shows {len(settings) - len(shown)} more.", style="dim")
    screen.print("`thaw config explain KEY` tells all about one; `thaw config set KEY=VALUE` sets it.", style="dim")


@app.command(
    short_help="Explain a parameter, and say which stages it concerns.",
    epilog="Example: thaw config explain strategy.kind",
)
def explain(
    key: Annotated[str, typer.Argument(help="A parameter, such as head.folds, or a section, such as head.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Tell what a parameter means, its value, where it is set, and which stages run when it changes."""
    from flows.cli.terminal import out, print_json
    from flows.project.environment import enter_project
    from flows.project.explain_param import explain as explained

    explanations = explained(enter_project(), key)
    if json:
        print_json({each.setting.key: _explanation_as_json(each) for each in explanations})
        return
    screen = out()
    for each in explanations:
        for name, text in _lines(each):
            screen.print(_wrapped(name, text, screen.width), markup=False)
        screen.print()


@app.command(
    name="set",
    short_help="Change parameters, and keep the comments.",
    epilog="Example: thaw config set dataset.source=photos strategy.kind=mlp",
)
def set_(
    assignments: Annotated[list[str], typer.Argument(metavar="KEY=VALUE...", help="What to set, as YAML values.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the change, and make none.")] = False,
) -> None:
    """Change parameters: all of params.yaml is checked first, and its comments are kept.

    A key that params.yaml does not hold yet is added to it.

    Two shorthands: dataset.source=digits (or hymenoptera) for a built-in set, and
    backbone.weights=ResNet18_Weights.IMAGENET1K_V1 for official weights by name.
    """
    from flows.cli.terminal import out
    from flows.project.environment import enter_project

    if not assign(enter_project(), assignments, dry_run=dry_run):
        out().print("Nothing changes: params.yaml says that already.")
    elif dry_run:
        out().print("Nothing was written (--dry-run).", style="dim")
    else:
        out().print("params.yaml is changed; `thaw run` brings everything up to date with it.")


def assign(root: "Path", assignments: "Sequence[str]", *, dry_run: bool = False, quiet: bool = False) -> bool:
    """Change `params.yaml` and print the lines that change, unless `quiet`; returns whether there are any.

    Raises:
        BadParameters: the whole would not be valid; then nothing is written.
    """
    from difflib import unified_diff

    from flows.cli.terminal import out
    from flows.project.edit_params import edit, read_text
    from thaw.foundation.files.atomic import write_text
    from thaw.params.values.reading import PARAMS

    before = read_text(root / PARAMS)
    after = edit(before, assignments)
    lines = list(unified_diff(before.splitlines(), after.splitlines(), "before", "after", n=0, lineterm=""))
    for line in lines[2:]:
        if not (quiet or line.startswith("@@")):
            out().print(line, style="green" if line.startswith("+") else "red", markup=False, soft_wrap=True)
    if after != before and not dry_run:
        write_text(root / PARAMS, after)
    return after != before


def _as_json(setting: "Setting") -> dict[str, object]:
    return {
        "value": setting.value,
        "default": setting.default,
        "changed": setting.changed,
        "description": setting.description,
        "choices": setting.choices,
    }


def _explanation_as_json(explanation: "Explanation") -> dict[str, object]:
    return _as_json(explanation.setting) | {
        "line": explanation.line,
        "stages": explanation.stages,
        "then": explanation.then,
    }


def _lines(explanation: "Explanation") -> list[tuple[str, str]]:
    """What is said, each with its name; the parameter itself has none."""
    setting, line = explanation.setting, explanation.line
    where = "the default; params.yaml does not name it" if line is None else f"line {line} of params.yaml"
    lines = [("", f"{setting.key}: {setting.description}"), ("now", f"{_say(setting.value)} ({where})")]
    if setting.changed:
        lines.append(("default", _say(setting.default)))
    if setting.choices:
        lines.append(("choices", ", ".join(setting.choices)))
    return [*lines, ("stages", _concerned(explanation))]


def _wrapped(name: str, text: str, width: int) -> str:
    from textwrap import fill

    first = f"  {name}".ljust(_INDENT) if name else ""
    options = {"break_long_words": False, "break_on_hyphens": False}
    return fill(text, width, initial_indent=first, subsequent_indent=" " * (_INDENT if name else 2), **options)


def _concerned(explanation: "Explanation") -> str:
    if not explanation.stages:
        return "none run again; commands read it as they start"
    then = f"; then {', '.join(explanation.then)}, if what they read differs" if explanation.then else ""
    return f"{', '.join(explanation.stages)} run again{then}"


def _say(value: object) -> str:
    from json import dumps

    return value if isinstance(value, str) else dumps(value)
