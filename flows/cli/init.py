"""`thaw init`: a new project, or the upgrade of one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.project.creation.making import Plan


def init(  # noqa: PLR0917  # one parameter an option
    folder: Annotated[Path, typer.Argument(help="The project's folder; it is made if it is not there.")] = Path(),
    example: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="What it begins with: digits, own, hymenoptera, chest_xray, texts, sms_spam, spoken_digits or wake_word.",
        ),
    ] = "digits",
    model: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="MODEL",
            help="Begin with the settings and the data of a model fitted in Python: the folder of `model.save`, or models:/NAME/1 of `model.register`.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Make the project in a folder that has files.")] = False,
    no_git: Annotated[bool, typer.Option("--no-git", help="Leave Git alone: no repository and no commit.")] = False,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Bring a project up to date with the installed Thaw.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be written.")] = False,
) -> None:
    """Make a new project: parameters, stages, schedules, Git and DVC. `digits` needs no files and no network."""
    from flows.project.creation.examples import DEFAULT, model_name, notes_in, parameters_of
    from flows.project.creation.making import make_project, plan_project
    from thaw.foundation.errors import BadParameters

    root = folder.expanduser().resolve()
    if upgrade:
        _upgrade(root, dry_run=dry_run)
        return
    if model is not None and example != DEFAULT:
        raise BadParameters(f"--example {example} and --from {model} exclude each other; give one of them")
    parameters = parameters_of(example, model_name(root.name)) if model is None else _of_model(model, root)
    plan = plan_project(root, parameters, force=force, git=not no_git)
    if dry_run:
        _say_plan(plan)
        return
    for step in make_project(plan):
        typer.echo(step)
    _say_next(root, () if model is None and example == DEFAULT else notes_in(parameters))


def _say_plan(plan: "Plan") -> None:
    for path, text in plan.files.items():
        typer.echo(f"would write {plan.root / path} ({len(text.encode()):,} bytes)")
    for path in plan.kept:
        typer.echo(f"would keep {plan.root / path}")
    if plan.new_repository:
        typer.echo("would begin a Git repository")
    typer.echo(f"would begin DVC{', and commit the project' if plan.commits else ''}")


def _of_model(model: str, root: Path) -> str:
    from flows.project.creation.examples import model_name
    from flows.project.creation.fitted import parameters_from

    return parameters_from(model, model_name(root.name))


def _say_next(root: Path, notes: "Sequence[str]") -> None:
    here = root == Path.cwd()
    typer.echo()
    if notes:
        for note in notes:
            typer.echo(note)
        typer.echo()
    typer.echo("Next:")
    place = root.relative_to(Path.cwd()) if root.is_relative_to(Path.cwd()) else root
    enter = [] if here else [f"cd {place}"]
    for command in (*enter, "thaw check", "thaw run"):
        typer.echo(f"  {command}")


def _upgrade(root: Path, *, dry_run: bool) -> None:
    from flows.project.creation.upgrade import plan_upgrade
    from flows.project.environment import enter_project

    found = plan_upgrade(enter_project(root))
    differences = found.differences()
    if not differences:
        typer.echo("The project is up to date with the installed Thaw.")
        return
    typer.echo(differences.rstrip())
    typer.echo()
    if found.stages:
        typer.echo(f"The code of {', '.join(found.stages)} has changed: the next run runs them again.")
    if dry_run:
        typer.echo("Nothing is written; `thaw init --upgrade` writes it.")
        return
    found.write()
    typer.echo(f"Wrote {', '.join(map(str, found.after))}; `git diff` shows them, `git checkout` takes them back.")
