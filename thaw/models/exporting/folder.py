"""The folder of an export: the graph, `model.json` and `README.md`; it is checked before it appears, and appears whole."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from torch.export import ExportedProgram

from thaw.foundation.errors import BadExport
from thaw.foundation.files.atomic import atomic_folder
from thaw.kinds.batches import Batch
from thaw.models.exporting.card import Card, Origin, build_card, write_card
from thaw.models.exporting.checking import check, in_batches
from thaw.models.exporting.formats import Format, Runner
from thaw.models.exporting.graph import export_program, inputs_of, outputs_of
from thaw.models.exporting.int8_format import write_int8
from thaw.models.exporting.onnx_format import check_installed, read_onnx, write_onnx
from thaw.models.exporting.readme import write_readme
from thaw.models.exporting.torch_format import read_program, write_program
from thaw.models.prediction.predictor import Predictor

Tell = Callable[[str], None]
"""A function that gets the name of each step before it begins, as part of a sentence."""


@dataclass(frozen=True)
class Export:
    """The result of an export: the card of `model.json`, and the files, relative to the folder, with their sizes in bytes."""

    folder: Path
    card: Card
    files: tuple[tuple[str, int], ...]


def check_target(folder: Path, format_: Format) -> None:
    """Raise BadExport if an export could not be written to the folder, before any computation."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadExport(f"{folder} exists already; remove it, or name another folder with --out")
    if format_ is not Format.TORCH:
        check_installed()


def write_export(
    predictor: Predictor,
    origin: Origin,
    format_: Format,
    examples: Sequence[Batch],
    *,
    folder: Path,
    calibration: Sequence[Batch] = (),
    tell: Tell = lambda step: None,
) -> Export:
    """Export a model, check it on examples, each prepared by `Predictor.prepare`, and write the folder, which appears whole or not at all.

    calibration: other prepared examples, for the scales of integers of 8 bits.

    Raises:
        BadExport: the folder exists, the format cannot express the model, or the export differs from the model.
    """
    check_target(folder, format_)
    tell(f"exporting {predictor.backbone.architecture} with its {predictor.head.kind} head as {format_}")
    program = export_program(predictor)
    try:
        with atomic_folder(folder) as inside:
            file = inside / format_.file
            runner = _write(program, predictor, format_, file, calibration)
            tell(f"checking it on {predictor.backbone.words.counted(len(examples))}")
            card = build_card(predictor, origin, format_, file, check(predictor, runner, examples, format_))
            write_card(card, inside)
            write_readme(card, inside)
            files = tuple((each.name, each.stat().st_size) for each in sorted(inside.iterdir()))
    except FileExistsError as error:
        raise BadExport(f"another process has made {folder} meanwhile; no export was written") from error
    return Export(folder, card, files)


def _write(
    program: ExportedProgram, predictor: Predictor, format_: Format, file: Path, calibration: Sequence[Batch]
) -> Runner:
    """Write the graph, and load the written file."""
    if format_ is Format.TORCH:
        write_program(program, file)
        return read_program(file)
    inputs, outputs = ([each.name for each in all_of(predictor)] for all_of in (inputs_of, outputs_of))
    if format_ is Format.ONNX:
        write_onnx(program, inputs, outputs, file)
        return read_onnx(file)
    with TemporaryDirectory() as folder:
        graph = Path(folder) / file.name
        write_onnx(program, inputs, outputs, graph)
        write_int8(graph, [*in_batches(predictor, calibration)], file)
    return read_onnx(file)
