"""`thaw predict`: labels for files and folders, by the champion or any other version."""

import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from mlflow.pyfunc import PyFuncModel

BATCH = 64


@dataclass(frozen=True)
class Row:
    """What the model says of one file; `reason` says why it could not be used, and is empty otherwise.

    `answer` holds the model's columns but the probabilities: label and confidence, also known_score where the model may say `neither`; or labels, a list,
    where it names sets. It is empty for a file that could not be used.
    """

    path: str
    answer: dict[str, object]
    probabilities: dict[str, float]
    reason: str


def predict(
    paths: Annotated[list[Path], typer.Argument(help="Images, and folders of them.", exists=True)],
    model: Annotated[str | None, typer.Option(help="An MLflow model URI; the champion if left out.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV on standard output.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON array on standard output.")] = False,
) -> None:
    """Label pictures. A file that cannot be used gets a row with the reason, and the rest goes on.

    A model that was trained with openness.score says `neither` of pictures of no known class, and how well known each one is. A model that was trained on sets
    of labels names all that it finds, each with its probability; as CSV with `|` between them, as a listing takes them.
    """
    from flows.cli.terminal import out, print_json, table

    # Before the project becomes the working directory: relative paths are the caller's.
    files = [file.resolve() for path in paths for file in _files(path)]
    loaded = _load(model)
    given = [name for name in loaded.metadata.get_output_schema().input_names() if not name.startswith("p_")]
    rows = list(_label(files, loaded))
    if json:
        print_json([_as_object(row, given) for row in rows])
    elif as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(("path", *given, "reason"))
        writer.writerows((row.path, *(_cell(row.answer.get(name)) for name in given), row.reason) for row in rows)
    else:
        shown = ((row.path, *(_shown(row, name) for name in given), row.reason) for row in rows)
        names = [name.replace("_", " ") for name in given]
        out().print(table(("path", *names, ""), shown, whole=names))


def _as_object(row: Row, given: Sequence[str]) -> dict[str, object]:
    answer = {name: row.answer.get(name) for name in given}
    return {"path": row.path, **answer, "probabilities": row.probabilities, "reason": row.reason}


def _cell(value: object) -> object:
    from thaw.label_sets import join_labels

    return join_labels(value) if isinstance(value, list) else value


def _shown(row: Row, name: str) -> str:
    """An answer for people: a set with the probability of each of its labels."""
    value = row.answer.get(name)
    if isinstance(value, list):
        return ", ".join(f"{label} {row.probabilities[label]:.2f}" for label in value) or "(none)"
    if isinstance(value, float):
        return f"{value:.3f}"
    return str(value) if value is not None else "-" if name.startswith("label") else ""


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
                yield Row(str(file), {}, {}, reasons[file]) if file in reasons else _row(file, next(good))
            progress(start + len(batch), len(files))


def _row(file: Path, found: dict[str, Any]) -> Row:
    """The model's columns: what it says, and the probabilities apart."""
    probabilities = {name.removeprefix("p_"): float(value) for name, value in found.items() if name.startswith("p_")}
    answer: dict[str, object] = {}
    for name, value in found.items():
        if not name.startswith("p_"):
            answer[name] = value if isinstance(value, str) else list(value) if name == "labels" else float(value)
    return Row(str(file), answer, probabilities, "")
