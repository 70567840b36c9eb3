"""Where the commands print: tables and progress for people, JSON alone for machines."""

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
    """Standard error: progress, and what went wrong."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def say_error(message: str) -> None:
    """One red line on standard error (or more, where the message lists what is wrong)."""
    from rich.text import Text

    err().print(Text(message, style="red"), soft_wrap=True)


def print_json(value: object) -> None:
    """Print JSON, and nothing else, on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))
    sys.stdout.write("\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], whole: Sequence[str] = ()) -> "Table":
    """A table of plain text, whose long cells wrap, but not in the columns named in `whole`."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        made.add_column(name, no_wrap=name in whole, overflow="fold")
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    return made


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
