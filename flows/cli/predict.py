"""`thaw predict`: labels for files and folders, by the champion or any other version."""

import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mlflow.pyfunc import PyFuncModel

BATCH = 64
KNOWN = "known_score"
"""The column of a model that may say `neither`."""


@dataclass(frozen=True)
class Row:
    """What the model says of one file; `reason` says why it could not be used, and is empty otherwise.

    `known_score` is None where the model gives a label to every input.
    """

    path: str
    label: str | None
    confidence: float | None
    known_score: float | None
    probabilities: dict[str, float]
    reason: str


def predict(
    paths: Annotated[list[Path], typer.Argument(help="Images, and folders of them.", exists=True)],
    model: Annotated[str | None, typer.Option(help="An MLflow model URI; the champion if left out.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV on standard output.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON array on standard output.")] = False,
) -> None:
    """Label pictures. A file that cannot be used gets a row with the reason, and the rest goes on.

    A model that was trained with openness.score says `neither` of pictures of no known class, and how well known each one is.
    """
    from flows.cli.terminal import out, print_json, table

    # Before the project becomes the working directory: relative paths are the caller's.
    files = [file.resolve() for path in paths for file in _files(path)]
    loaded = _load(model)
    known = (KNOWN,) if KNOWN in loaded.metadata.get_output_schema().input_names() else ()
    rows = list(_label(files, loaded))
    if json:
        left_out = () if known else (KNOWN,)
        print_json([{name: value for name, value in asdict(row).items() if name not in left_out} for row in rows])
    elif as_csv:
        columns = ("path", "label", "confidence", *known, "reason")
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([getattr(row, name) for name in columns] for row in rows)
    else:
        shown = (
            (row.path, row.label or "-", _short(row.confidence), *[_short(row.known_score)] * len(known), row.reason)
            for row in rows
        )
        names = ("label", "confidence", *(name.replace("_", " ") for name in known))
        out().print(table(("path", *names, ""), shown, whole=names))


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))


def _load(uri: str | None) -> "PyFuncModel":
    from flows.environment import enter_project
    from tasks.registry import CHAMPION, explained, open_registry
    from thaw.errors import RegistryError
    from thaw.params import read_params

    enter_project()
    registry = open_registry(read_params().registry)
    if uri is None and registry.by_alias(CHAMPION) is None:
        raise RegistryError(
            f"{registry.name} has no champion yet; `thaw run` makes one, or name a version with --model"
        )
    import mlflow

    with explained():
        return mlflow.pyfunc.load_model(uri or f"models:/{registry.name}@{CHAMPION}")


def _label(files: Sequence[Path], model: "PyFuncModel") -> Iterator[Row]:
    """One row a file, in order, with a bar on a terminal; bad files are found before the model sees them."""
    from tasks.progress import counted
    from thaw.errors import BadImage
    from thaw.inputs.images import decode

    with counted("predict", "files") as progress:
        for start in range(0, len(files), BATCH):
            batch, contents, reasons = files[start : start + BATCH], [], {}
            for file in batch:
                try:
                    content = file.read_bytes()
                    decode(content, 100_000_000)
                    contents.append(content)
                except (BadImage, OSError) as error:
                    reasons[file] = str(error)
            good = iter(model.predict(contents).to_dict("records") if contents else [])
            for file in batch:
                yield Row(str(file), None, None, None, {}, reasons[file]) if file in reasons else _row(file, next(good))
            progress(start + len(batch), len(files))


def _row(file: Path, found: dict[str, object]) -> Row:
    probabilities = {
        name.removeprefix("p_"): float(str(value)) for name, value in found.items() if name.startswith("p_")
    }
    known = None if KNOWN not in found else float(str(found[KNOWN]))
    return Row(str(file), str(found["label"]), float(str(found["confidence"])), known, probabilities, "")


def _short(number: float | None) -> str:
    return "" if number is None else f"{number:.3f}"
