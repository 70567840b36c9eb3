"""`thaw listen`: a trigger in a stream, its events as they come."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from thaw.models.listening.listener import Event


def listen(
    source: Annotated[
        str | None,
        typer.Argument(help="A sound file, or - for standard input: WAV, or plain samples of 16 bits, one channel."),
    ] = None,
    model: Annotated[
        Path, typer.Option(help="The folder of a trigger: its network, detector, threshold and promise.")
    ] = Path("data/trigger"),
    microphone: Annotated[bool, typer.Option("--microphone", help="Listen to the microphone, until Ctrl-C.")] = False,
    rate: Annotated[int, typer.Option(min=1000, help="Samples a second of plain samples on standard input.")] = 16_000,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line for each event.")] = False,
) -> None:
    """Report a trigger in a stream as soon as it is heard.

    The network runs once over each 80 ms. The scores are those of the whole recording, whatever the size of the blocks in which the sound comes.
    """
    if (source is None) != microphone:
        raise typer.BadParameter("give a file, - for standard input, or --microphone", param_hint="SOURCE")
    import torch

    from flows.cli.terminal import err
    from thaw.foundation.parallel.torch_threads import threads
    from thaw.models.listening.listener import Listener
    from thaw.models.listening.sequences import rate_of
    from thaw.models.listening.storage import read_trigger

    trigger = read_trigger(model)
    listener = Listener(trigger)
    err().print(f"{trigger.word}: {trigger.promise}", style="dim", markup=False, soft_wrap=True)
    with threads(1):
        for block in _blocks(source, rate_of(trigger.backbone), rate):
            for event in listener.feed(torch.from_numpy(block)).events:
                _tell(event, json)
        for event in listener.end().events:
            _tell(event, json)


def _blocks(source: str | None, rate: int, raw_rate: int) -> "Iterator[NDArray[np.float32]]":
    from thaw.kinds.sounds import streams

    if source is None:
        return streams.of_microphone(rate)
    if source == "-":
        return streams.of_pipe(sys.stdin.buffer, rate, raw_rate=raw_rate)
    return streams.of_file(Path(source), rate)


def _tell(event: "Event", as_json: bool) -> None:
    """Standard output is flushed: whoever reads it acts on the event."""
    from json import dumps

    line = dumps(vars(event)) if as_json else f"{event.at_s:9.2f} s  {event.word}  ({event.score:+.1f})"
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
