"""What a command says first while a run, or DVC itself, works on the project."""

from pathlib import Path

from flows.cli.terminal import err


def say_run(start: Path) -> None:
    """Print one line on standard error if a run holds the project of the folder `start`; nothing outside a project."""
    from flows.project.environment import find_project
    from flows.project.errors import NotAProject

    try:
        root = find_project(start)
    except NotAProject:
        return
    if not (root / ".thaw/run.lock").exists():
        return
    from rich.text import Text

    from flows.dvc.run_account import read_account

    if account := read_account(root):
        err().print(Text(f"{account}; this answers from what is done", style="yellow"), soft_wrap=True)
