"""`thaw config show` and `thaw config set`."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from flows.project.edit_params import Setting

app = typer.Typer(
    help="Show and change the parameters in params.yaml.",
    epilog="Example: thaw config show",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command(short_help="Show every parameter, its value and its meaning.", epilog="Example: thaw config show --json")
def show(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Show every parameter, its meaning, and whether it differs from the default."""
    from flows.cli.terminal import out, print_json, table
    from flows.project.edit_params import list_settings
    from flows.project.environment import enter_project
    from thaw.params.reading import read_params

    enter_project()
    settings = list_settings(read_params())
    if json:
        print_json({setting.key: _as_json(setting) for setting in settings})
        return
    rows = (
        ("*" if setting.changed else "", setting.key, _say(setting.value), setting.description) for setting in settings
    )
    out().print(table(("", "parameter", "value", "meaning"), rows, whole=["parameter"]))
    out().print("* differs from the default. Change one with `thaw config set KEY=VALUE`.", style="dim")


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

    Two shorthands: dataset.source=digits (or hymenoptera) for a built-in set, and
    backbone.weights=ResNet18_Weights.IMAGENET1K_V1 for official weights by name.
    """
    from difflib import unified_diff

    from flows.cli.terminal import out
    from flows.project.edit_params import edit, read_text
    from flows.project.environment import enter_project
    from thaw.foundation.files.atomic import write_text
    from thaw.params.reading import PARAMS

    root = enter_project()
    before = read_text(root / PARAMS)
    after = edit(before, assignments)
    if after == before:
        out().print("Nothing changes: params.yaml says that already.")
        return
    lines = list(unified_diff(before.splitlines(), after.splitlines(), "before", "after", n=0, lineterm=""))
    for line in lines[2:]:
        if not line.startswith("@@"):
            out().print(line, style="green" if line.startswith("+") else "red", markup=False, soft_wrap=True)
    if dry_run:
        out().print("Nothing was written (--dry-run).", style="dim")
        return
    write_text(root / PARAMS, after)
    out().print("params.yaml is changed; `thaw run` brings everything up to date with it.")


def _as_json(setting: "Setting") -> dict[str, object]:
    return {
        "value": setting.value,
        "default": setting.default,
        "changed": setting.changed,
        "description": setting.description,
    }


def _say(value: object) -> str:
    from json import dumps

    return value if isinstance(value, str) else dumps(value)
