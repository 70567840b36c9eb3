"""`thaw pretrain`: an encoder that learns from a corpus of one's own."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from thaw.pretraining.texts.pretraining import Order
    from thaw.pretraining.texts.record import Record


def pretrain(
    *,
    encoder: Annotated[str, typer.Option(metavar="NAME", help="The encoder, such as quick_thought, word2vec or fasttext.")],
    corpus: Annotated[
        list[Path], typer.Option(metavar="FILES...", help="Files with a sentence on each line: plain, .xz, .gz or Parquet.")
    ],
    more: Annotated[list[Path] | None, typer.Argument(metavar="FILES", hidden=True)] = None,
    out_: Annotated[Path, typer.Option("--out", metavar="FILE", help="The backbone to write, a .safetensors file.")],
    kind: Annotated[str, typer.Option(help="The kind of examples.")] = "texts",
    column: Annotated[str, typer.Option(help="The column of sentences in Parquet files.")] = "text",
    encoding: Annotated[str | None, typer.Option(help="The encoding of the other files; UTF-8 if left out.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting of the encoder, may be repeated: --set dim=100.")
    ] = None,
    teacher: Annotated[Path | None, typer.Option(metavar="FILE", help="The backbone of texts that distilled learns from.")] = None,
    words: Annotated[Path | None, typer.Option(metavar="FILE", help="The backbone of word vectors that infersent reads with.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:  # fmt: skip
    """Pretrain an encoder on texts of your own: safetensors that state their own architecture and preprocessing, and a card beside them.

    Sentences that follow each other in a file are neighbours; an empty line ends a paragraph. It needs no project. A run that is stopped goes on where it
    stopped, to the same numbers, when the same command is given again. Afterwards set backbone.weights to the new file.
    """
    from flows.cli.terminal import print_json
    from tasks.project.progress import counted
    from tasks.requests.pretrain import Asked
    from tasks.requests.pretrain import pretrain as make

    asked = Asked(
        kind, encoder, (*corpus, *(more or ())), out_, column, encoding, tuple(settings or ()), teacher, words
    )
    with counted("read", "bytes") as reading, counted("train", "steps") as training:
        record, order = make(asked, reading, training)
    print_json(record) if json else _say(record, order)


def _say(record: "Record", order: "Order") -> None:
    from flows.cli.terminal import out
    from thaw.pages.layout import percent

    screen = out()
    screen.print(f"{order.out}: {record.architecture}", style="green", markup=False, soft_wrap=True)
    facts = record.facts
    screen.print(
        f"{facts.sentences:,} sentences with {facts.words:,} words; {record.known_words:,} of {record.all_words:,} different words are known",
        markup=False, soft_wrap=True,
    )  # fmt: skip
    if record.probe is not None:
        screen.print(
            f"of {record.probe.pairs:,} held-out sentences {percent(record.probe.found)} have their neighbour among the most similar tenth; chance is 10 %",
            markup=False, soft_wrap=True,
        )  # fmt: skip
    screen.print(f"card: {order.card}", markup=False, soft_wrap=True)
    screen.print(f"thaw config set backbone.weights={order.out}", style="dim", markup=False, soft_wrap=True)
