"""`thaw convert`: another program's file to a backbone."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from thaw.backbones.converting.converting import Converted


def convert(
    source: Annotated[
        str,
        typer.Argument(
            help="Word vectors (.txt, .vec, .bin), the files or the folder of an encoder, or a name: glove.6B.50d, cc.de.300, ORG/NAME on Hugging Face, "
            "universal-sentence-encoder of an installed package."
        ),
    ],
    out: Annotated[Path, typer.Argument(help="The backbone to write, a .safetensors file.")],
    words: Annotated[
        Path | None, typer.Option(help="Word vectors, or a list of words, for networks that come without their own.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Make a backbone of another program's file: safetensors that state their own architecture and preprocessing.

    It is done once, needs no project, and runs no code of the file. Afterwards set backbone.weights to the new file.
    """
    from flows.cli.terminal import print_json
    from tasks.project.progress import counted
    from thaw.backbones.converting.converting import convert as make
    from thaw.backbones.converting.official import official_source
    from thaw.backbones.converting.official_names import is_official
    from thaw.backbones.converting.source import Source

    if out.suffix != ".safetensors":
        raise typer.BadParameter(f"{out} does not end in .safetensors", param_hint="OUT")
    with ExitStack() as stack:
        given = Source(Path(source), words)
        if is_official(source):
            with counted("download", "bytes") as progress:
                official = stack.enter_context(official_source(source, _tell, progress))
            given = Source(official.path, words or official.words)
        with counted("read", "bytes") as progress:
            converted = make(given, out, progress)
    print_json(vars(converted)) if json else _say(converted)


def _tell(sentence: str) -> None:
    from flows.cli.terminal import err

    err().print(sentence, style="dim", markup=False, soft_wrap=True)


def _say(converted: "Converted") -> None:
    from flows.cli.terminal import out

    out().print(f"{converted.path}: {converted.architecture}", style="green", markup=False, soft_wrap=True)
    for note in converted.notes:
        out().print(f"- {note}", markup=False, soft_wrap=True)
    out().print(f"thaw config set backbone.weights={converted.path}", style="dim", markup=False, soft_wrap=True)
