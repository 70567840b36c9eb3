"""`thaw convert`: another program's file to a backbone."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from thaw.backbones.converting.converting import Converted


def convert(
    source: Annotated[
        Path, typer.Argument(help="Word vectors (.txt, .vec, .bin), or the folder of an encoder of BERT's family.")
    ],
    out: Annotated[Path, typer.Argument(help="The backbone to write, a .safetensors file.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Make a backbone of another program's file: safetensors that state their own architecture and preprocessing.

    It is done once, needs no project, and runs no code of the file. Afterwards set backbone.weights to the new file.
    """
    from flows.cli.terminal import print_json
    from tasks.project.progress import counted
    from thaw.backbones.converting.converting import convert as make
    from thaw.backbones.converting.source import Source

    if out.suffix != ".safetensors":
        raise typer.BadParameter(f"{out} does not end in .safetensors", param_hint="OUT")
    with counted("read", "bytes") as progress:
        converted = make(Source(source), out, progress)
    print_json(vars(converted)) if json else _say(converted)


def _say(converted: "Converted") -> None:
    from flows.cli.terminal import out

    out().print(f"{converted.path}: {converted.architecture}", style="green", markup=False, soft_wrap=True)
    for note in converted.notes:
        out().print(f"- {note}", markup=False, soft_wrap=True)
    out().print(f"thaw config set backbone.weights={converted.path}", style="dim", markup=False, soft_wrap=True)
