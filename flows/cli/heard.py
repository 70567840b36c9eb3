"""The events of triggers in recordings, for people and for programs."""

import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tasks.requests.hear import HeardFile


def say_heard(sources: Sequence[str], output: Path | None, model: str | None, *, as_csv: bool, json: bool) -> None:
    """Print the events of all recordings, and write a Parquet table if `output` is given; each line is printed when its recording was heard."""
    from flows.cli.terminal import err, out
    from tasks.requests.hear import SCHEMA, hear, refuse_unheard, write_heard
    from tasks.requests.score import check_output

    path = None if output is None else check_output(output)
    table = csv.writer(sys.stdout, lineterminator="\n")
    if as_csv:
        table.writerow(SCHEMA.names)
    heard = list["HeardFile"]()
    for each in hear(sources, model):
        heard.append(each)
        if as_csv:
            table.writerows([[_cell(value) for value in row.values()] for row in each.rows])
        elif not json:
            for row in each.rows:
                out().print(_line(row), markup=False, soft_wrap=True)
    if json:
        _print_json(heard)
    if path is not None:
        write_heard(heard, path)
        err().print(str(path), soft_wrap=True)
    refuse_unheard(heard)


def _line(row: dict[str, object]) -> str:
    if row["trigger"] is None:
        return f"{row['path']}: {row['reason'] or 'no trigger'}"
    return f"{row['path']}: {row['trigger']} at {row['at_s']:.2f} s"


def _cell(value: object) -> object:
    return "" if value is None else value


def _print_json(heard: "Sequence[HeardFile]") -> None:
    values = [
        {"path": each.path, "events": [vars(event) for event in each.events], "reason": each.reason} for each in heard
    ]
    sys.stdout.write(json.dumps(values, indent=2, ensure_ascii=False) + "\n")
