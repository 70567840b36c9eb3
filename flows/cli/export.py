"""`thaw export`: a version as one graph, ONNX or torch.export, for programs that run it without Thaw."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thaw.foundation.errors import BadExport
from thaw.models.exporting.formats import Format

if TYPE_CHECKING:
    from tasks.requests.export import Plan
    from thaw.models.exporting.folder import Export


def export(
    *,
    model: Annotated[str | None, typer.Option(help="An MLflow model URI; the champion if left out.")] = None,
    trigger: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Export the trigger of a folder that `thaw trigger` made, as ONNX with a program that listens.",
                     exists=True, file_okay=False),
    ] = None,
    format_: Annotated[
        Format,
        typer.Option("--format", help="`onnx` for onnxruntime and others; `onnx-int8`: see --int8; `torch` for torch.export, without further packages."),
    ] = Format.ONNX,
    int8: Annotated[
        bool, typer.Option("--int8", help="The backbone in integers of 8 bits, calibrated on training examples; short for `--format onnx-int8`.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="The folder to make; data/exports/NAME-VERSION-FORMAT if left out.")
    ] = None,
    examples: Annotated[
        list[Path] | None,
        typer.Option("--examples", "--images", help="An example to check the export on, may be repeated; some test examples if left out.",
                     exists=True, dir_okay=False),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and write nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:  # fmt: skip
    """Write a model as one graph, examples to probabilities, with all that one must know to run it: model.json and README.md.

    The graph of a trigger takes sound and gives scores, and a program beside it listens. Before the folder appears, the export is run on examples and its
    answers are compared with the model's. If they differ, nothing is written.
    """
    if int8 and format_ is Format.TORCH:
        raise typer.BadParameter("--int8 writes ONNX, and --format torch is asked for: give only one of the two")
    format_ = Format.INT8 if int8 else format_
    # Relative paths are the caller's, so they are resolved before the project becomes the working directory.
    if trigger is not None:
        if format_ is not Format.ONNX:
            raise BadExport(f"--format {format_.value}: a trigger is exported as onnx, with a program that listens")
        _export_trigger(trigger, out or Path(f"{trigger}-onnx"), as_json=json)
        return
    files, folder = [file.resolve() for file in examples or []], out and out.resolve()
    uri = str(Path(model).absolute()) if model and Path(model).exists() else model
    from flows.cli.terminal import err, print_json
    from flows.project.environment import enter_project

    enter_project()
    from tasks.requests.export import export as make
    from tasks.requests.export import plan_export
    from thaw.foundation.errors import HearsTriggers
    from thaw.kinds.keys import keyed_by_kind
    from thaw.models.exporting.card import card_json

    try:
        if dry_run:
            plan = plan_export(uri, format_, folder, files)
            print_json(keyed_by_kind(plan)) if json else _say_plan(plan)
            return
        result = make(uri, format_, folder, files, lambda step: err().print(f"{step} ...", style="dim", markup=False))
    except HearsTriggers:
        _export_triggers(uri, format_, folder, dry_run=dry_run, as_json=json)
        return
    print_json({**vars(result), "card": card_json(result.card)}) if json else _say(result)


def _export_triggers(uri: str | None, format_: Format, folder: Path | None, *, dry_run: bool, as_json: bool) -> None:
    """Of a version of the registry."""
    from flows.cli.terminal import err, out
    from tasks.requests.export import export_triggers

    with err().status("exporting the triggers"):
        exported = export_triggers(uri, format_, folder, dry_run=dry_run)
    for each in exported:
        if dry_run:
            line = f"Dry run, nothing was written: {each.word} would be exported as onnx to {each.folder}"
            out().print(line, style="yellow", markup=False, soft_wrap=True)
        else:
            _say_trigger(each.folder, each.difference, as_json=as_json)


def _export_trigger(trigger: Path, folder: Path, *, as_json: bool) -> None:
    from flows.cli.terminal import err
    from thaw.models.listening.exporting.folder import write_exported_trigger
    from thaw.models.listening.storage import read_trigger

    with err().status(f"exporting {trigger}"):
        difference = write_exported_trigger(read_trigger(trigger), folder)
    _say_trigger(folder, difference, as_json=as_json)


def _say_trigger(folder: Path, difference: float, *, as_json: bool) -> None:
    from flows.cli.terminal import out, print_json
    from thaw.models.listening.exporting.folder import PROGRAM

    if as_json:
        print_json({"folder": str(folder), "largest_difference": difference})
        return
    out().print(
        f"{folder}: on noise a score differs by {difference:.1e} at most", style="green", markup=False, soft_wrap=True
    )
    out().print(f"python {folder / PROGRAM} FILE", style="dim", markup=False, soft_wrap=True)


def _say_plan(plan: "Plan") -> None:
    from flows.cli.terminal import out
    from thaw.kinds.registry import kind_named

    names = ", ".join(output.name for output in plan.outputs)
    out().print(
        f"Dry run, nothing was written: {plan.origin.uri} would be exported as {plan.format} to {plan.folder}, giving {names}; "
        f"checked on {kind_named(plan.kind).words.counted(plan.examples)} first.",
        style="yellow", markup=False, soft_wrap=True,
    )  # fmt: skip


def _say(result: "Export") -> None:
    from flows.cli.terminal import out, table
    from thaw.kinds.registry import kind_named

    card, screen = result.card, out()
    counted = kind_named(card.kind).words.counted(card.checked.examples)
    screen.print(f"{card.uri} as {card.format}: {result.folder}", style="green", markup=False, soft_wrap=True)
    screen.print(table(("file", "size"), ((name, f"{size / 1e3:,.1f} kB") for name, size in result.files)))
    agreement, tolerance = card.checked.agreement, card.checked.tolerance
    allowed = f"{tolerance.difference:g} is allowed"
    if tolerance.beyond:
        allowed += f", and more on {tolerance.beyond:.0%} of them"
    screen.print(
        f"Checked by {card.checked.runtime} on {counted}: {agreement.labels_equal:.1%} of the labels are equal, and a "
        f"probability differs by {agreement.largest_difference:.1e} at most ({allowed}).",
        style="dim", markup=False, soft_wrap=True,
    )  # fmt: skip
