"""Scores for people and for programs: every row as a table, CSV or JSON, or a summary of the run."""

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tasks.requests.score import Outlook
    from thaw.models.scoring.scoring import Scored


def print_csv(scored: "Scored") -> None:
    """Print every row as CSV on standard output: path, the model's answers, reason."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("path", *scored.answers, "reason"))
    for row in _rows(scored):
        writer.writerow((row["path"], *(_cell(row[name]) for name in scored.answers), row["reason"]))


def print_rows(scored: "Scored") -> None:
    """Print the rows as one JSON array on standard output, row by row."""
    before = "[\n"
    for row in _rows(scored):
        answer = {name: row[name] for name in scored.answers}
        record = {"path": row["path"], **answer, "probabilities": _by_class(scored, row), "reason": row["reason"]}
        sys.stdout.write(before + json.dumps(record, indent=2, ensure_ascii=False))
        before = ",\n"
    sys.stdout.write("\n]\n")


def say_rows(scored: "Scored") -> None:
    """Print every row as a table for people."""
    from flows.cli.terminal import out, table

    names = [name.replace("_", " ") for name in scored.answers]
    cells = (
        (row["path"], *(_text(scored, row, name) for name in scored.answers), row["reason"]) for row in _rows(scored)
    )
    out().print(table(("path", *names, ""), cells, whole=names))


def say_scored(scored: "Scored") -> None:
    """Print a summary of the run: the number of examples of each label, and the path of the table."""
    from flows.cli.terminal import out, table
    from thaw.kinds.registry import kind_named

    words = kind_named(scored.kind).words
    rows = [(label, f"{count:,}", f"{share:.1%}") for label, count, share in shares(scored)]
    out().print(table(("label", words.many, "share"), rows, whole=(words.many, "share")))
    model = f"{scored.by.model} {scored.by.version}".rstrip()
    out().print(
        f"{words.counted(scored.examples)} by {model}, {scored.computed:,} of them through the network; {scored.rejected:,} cannot be used"
        f"{' (column reason)' if scored.rejected else ''}",
        soft_wrap=True,
    )
    out().print(str(scored.path), soft_wrap=True)


def shares(scored: "Scored") -> Iterator[tuple[str, int, float]]:
    """Each label with its number of examples and their share of the usable examples."""
    usable = max(1, scored.examples - scored.rejected)
    for label, count in scored.labels.items():
        yield label, count, count / usable


def say_outlook(sources: Sequence[str], model: str | None, *, json: bool) -> None:
    """Count the examples that would be scored, behind a progress bar, and print the counts."""
    from flows.cli.terminal import print_json
    from tasks.project.progress import counted
    from tasks.requests.score import look, refuse_outlook
    from thaw.kinds.keys import keyed_by_kind

    with counted("predict", "examples") as progress:
        outlook = look(sources, model, progress)
    print_json(keyed_by_kind(outlook)) if json else _say_outlook(outlook)
    refuse_outlook(outlook)


def _say_outlook(outlook: "Outlook") -> None:
    from flows.cli.terminal import out
    from thaw.kinds.registry import kind_named

    counted = kind_named(outlook.kind).words.counted(outlook.examples)
    new = outlook.examples - outlook.cached - outlook.unusable - outlook.remote
    remote = f"; {outlook.remote:,} lie elsewhere and were not looked at" if outlook.remote else ""
    out().print(
        f"{counted} would be scored by {f'{outlook.model} {outlook.version}'.rstrip()}: "
        f"{outlook.cached:,} have features already, {new:,} would go through the network, {outlook.unusable:,} cannot be opened{remote}. "
        "Dry run, nothing was computed.",
        soft_wrap=True,
    )


def _rows(scored: "Scored") -> Iterator[dict[str, Any]]:
    from thaw.models.scoring.table import read_scores

    for batch in read_scores(scored.path):
        yield from batch.to_pylist()


def _by_class(scored: "Scored", row: dict[str, Any]) -> dict[str, float]:
    return dict(zip(scored.by.class_names, row["probabilities"] or (), strict=False))


def _cell(value: object) -> object:
    from thaw.dataset.label_sets import join_labels

    return join_labels(value) if isinstance(value, list) else value


def _text(scored: "Scored", row: dict[str, Any], name: str) -> str:
    """An answer as text for people; a set of labels comes with the probability of each label."""
    value = row[name]
    if isinstance(value, list):
        probabilities = _by_class(scored, row)
        return ", ".join(f"{label} {probabilities[label]:.2f}" for label in value) or "(none)"
    if isinstance(value, float):
        return f"{value:.3f}"
    return str(value) if value is not None else "-" if name.startswith("label") else ""
