"""`thaw predict`: the answers of the champion or another version: a few on the terminal, any number in a table."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from thaw.models.scoring.scoring import Scored

FEW = 100
"""The largest number of examples that the terminal shows; a larger number goes to a file."""


def predict(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH",
            help="Examples, folders, globs, listings (CSV, JSON lines or Parquet with a column path), tables of texts, addresses (s3://bucket/photos).",
        ),
    ],
    *,
    into: Annotated[
        str | None,
        typer.Option("--out", metavar="FILE", help="Write a Parquet table; a bare NAME is data/scores/NAME.parquet."),
    ] = None,
    model: Annotated[str | None, typer.Option(help="An MLflow model URI; the champion if left out.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count the examples and those whose features are cached; compute nothing.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV on standard output.")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print JSON on standard output: every row; with --out, a summary.")
    ] = False,
) -> None:
    """Label examples, any number of them. A file that cannot be used gets a row with the reason, and the rest goes on. Ends with 1 if no file can be used.

    Up to 100 answers are shown as a table. More are written to data/scores as Parquet, or to the file of --out. Such a run may be killed: the next start
    continues where it stopped. An example whose features training or an earlier run has computed does not go through the network again.

    Where rows of tables are examples, a table with a column text and without a column path is scored row by row, as TABLE#NUMBER or TABLE#ID.

    A model that was trained with openness.score answers `neither` for an example of no known class, and gives each example a score of how well known it is. A
    model that was trained on sets of labels gives each of its labels with a probability; in CSV the labels are separated by `|`, as in a listing.

    A model of triggers lists the events in each recording, which may be hours long: the trigger, and its time in seconds.
    """
    from flows.cli.scores import say_outlook
    from flows.project.environment import enter_project
    from tasks.requests.score import refuse_unusable
    from thaw.foundation.errors import HearsTriggers

    # Relative paths are the caller's, so they are resolved before the project becomes the working directory.
    names, output = [_absolute(source) for source in sources], _output(into)
    uri = _absolute(model) if model and Path(model).exists() else model
    enter_project()
    if dry_run:
        say_outlook(names, uri, json=json)
        return
    try:
        with _scored(names, output, uri) as (scored, is_kept):
            _say(scored, as_csv=as_csv, json=json, is_kept=is_kept, whole=output is None)
            refuse_unusable(scored)
    except HearsTriggers:
        from flows.cli.heard import say_heard

        say_heard(names, output, uri, as_csv=as_csv, json=json)


def _say(scored: "Scored", *, as_csv: bool, json: bool, is_kept: bool, whole: bool) -> None:
    """Print every row, or a summary; whole: JSON has every row."""
    from flows.cli.scores import print_csv, print_rows, say_rows, say_scored
    from flows.cli.terminal import print_json
    from thaw.kinds.keys import keyed_by_kind

    if as_csv:
        print_csv(scored)
    elif json and whole:
        print_rows(scored)
    elif json:
        print_json(keyed_by_kind(scored))
    elif not is_kept:
        say_rows(scored)
    else:
        say_scored(scored)


def _absolute(name: str) -> str:
    from thaw.models.scoring.places import is_url

    return name if is_url(name) else str(Path(name).expanduser().absolute())


def _output(into: str | None) -> Path | None:
    """An absolute path; a bare name without an ending stays a name."""
    if into is None:
        return None
    return Path(into) if Path(into).name == into and not Path(into).suffix else Path(into).absolute()


@contextmanager
def _scored(sources: list[str], output: Path | None, model: str | None) -> "Iterator[tuple[Scored, bool]]":
    """Score the sources behind a progress bar; the flag says whether the table is kept.

    The table of a few examples without --out lasts only as long as the context.
    """
    from tasks.project.progress import counted
    from tasks.registry.mlflow_store import STATE
    from tasks.requests.score import score, score_once, taken
    from thaw.models.scoring.inputs import open_inputs

    few = output is None and sum(1 for _ in islice(open_inputs(sources, taken()), FEW + 1)) <= FEW
    if not few:
        with counted("predict", "examples") as progress:
            scored = score(sources, output, model, progress)
        yield scored, True
        return
    STATE.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=STATE, prefix="scores-") as folder:
        with counted("predict", "examples") as progress:
            scored = score_once(sources, Path(folder) / "scores.parquet", model, progress)
        yield scored, False
