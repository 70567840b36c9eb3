"""The output of the commands: tables and progress for people, only JSON for programs."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, is_dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


@cache
def out() -> "Console":
    """Standard output, for people."""
    from rich.console import Console

    return Console(highlight=False)


@cache
def err() -> "Console":
    """Standard error: progress and errors."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def say_error(message: str) -> None:
    """Print the message in red on standard error: one line, or more if the message lists several errors."""
    from rich.text import Text

    err().print(Text(message, style="red"), soft_wrap=True)


def say_warnings(warnings: Iterable[object]) -> None:
    """Print each warning on a line of its own, in yellow on standard error."""
    from rich.text import Text

    for warning in warnings:
        err().print(Text(f"warning: {warning}", style="yellow"), soft_wrap=True)


def say_changed_code(stages: Sequence[str]) -> None:
    """Say on standard error that the installed Thaw has other code for these stages than the project's last run had."""
    if stages:
        err().print(
            f"The installed Thaw has other code for {', '.join(stages)}: these stages run again.", soft_wrap=True
        )


def print_json(value: object) -> None:
    """Print JSON, and nothing else, on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))
    sys.stdout.write("\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], whole: Sequence[str] = ()) -> "Table":
    """A table of plain text; long cells wrap, except in the columns named in `whole`."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        grid.add_column(name, no_wrap=name in whole, overflow="fold")
    for row in rows:
        grid.add_row(*(Text(cell) for cell in row))
    return grid


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
