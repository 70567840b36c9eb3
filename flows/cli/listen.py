"""`thaw listen`: a trigger in a stream, its events as they come."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from thaw.models.listening.listener import Event, Heard, Listener
    from thaw.models.listening.trigger_model import TriggerModel


def listen(
    *,
    source: Annotated[
        str | None,
        typer.Argument(help="A sound file, or - for standard input: WAV, or plain samples of 16 bits, one channel."),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            metavar="FOLDER|URI",
            help="The folder of a trigger: its network, detector, threshold and promise; or an MLflow model URI, such as models:/NAME@champion.",
        ),
    ] = "data/trigger",
    word: Annotated[
        list[str] | None,
        typer.Option(help="A trigger of a model of several; may be repeated. All of them if left out."),
    ] = None,
    microphone: Annotated[bool, typer.Option("--microphone", help="Listen to the microphone, until Ctrl-C.")] = False,
    rate: Annotated[int, typer.Option(min=1000, help="Samples a second of plain samples on standard input.")] = 16_000,
    timeline: Annotated[
        Path | None, typer.Option(metavar="PAGE", help="Draw the scores of a file with its events, as one HTML page.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line for each event.")] = False,
) -> None:
    """Report triggers in a stream as soon as they are heard.

    The network runs once over each 80 ms. The scores are those of the whole recording, whatever the size of the blocks in which the sound comes.
    """
    if (source is None) != microphone:
        raise typer.BadParameter("give a file, - for standard input, or --microphone", param_hint="SOURCE")
    if timeline is not None and source in (None, "-"):
        raise typer.BadParameter("a timeline is drawn of a file; give one", param_hint="--timeline")
    import torch

    from flows.cli.terminal import err
    from thaw.features.sequences.network import rate_of
    from thaw.foundation.files.atomic import write_text
    from thaw.foundation.parallel.torch_threads import threads
    from thaw.models.listening.listener import Listener

    triggers = _chosen(_models(model), word or [])
    if timeline is not None and len(triggers) > 1:
        raise typer.BadParameter("a timeline is drawn of one trigger; name it with --word", param_hint="--timeline")
    listener = Listener(*triggers)
    for each in triggers:
        err().print(f"{each.word}: {each.promise}", style="dim", markup=False, soft_wrap=True)
    scores = [torch.zeros(0, 1)]
    with threads(1):
        for heard in _heard(listener, _blocks(source, rate_of(triggers[0].backbone), rate)):
            for event in heard.events:
                _tell(event, json)
            if timeline is not None:
                scores.append(heard.scores)
    if timeline is not None and source is not None:
        write_text(timeline, _page(triggers[0], listener, Path(source), torch.cat(scores)[:, 0].numpy()))
        err().print(f"{timeline}: the timeline", style="dim", markup=False, soft_wrap=True)


def _chosen(triggers: "tuple[TriggerModel, ...]", words: list[str]) -> "tuple[TriggerModel, ...]":
    known = [each.word for each in triggers]
    if unknown := [word for word in words if word not in known]:
        raise typer.BadParameter(f"{', '.join(unknown)}: the model hears {', '.join(known)}", param_hint="--word")
    return tuple(each for each in triggers if not words or each.word in words)


def _models(named: str) -> "tuple[TriggerModel, ...]":
    if not named.startswith(("models:/", "runs:/")):
        from thaw.models.listening.storage import read_trigger

        return (read_trigger(Path(named)),)
    from flows.project.environment import enter_project
    from tasks.requests.hear import read_listening

    here = Path.cwd()
    enter_project()
    try:
        return read_listening(named)
    finally:
        os.chdir(here)  # files that are named are the caller's


def _blocks(source: str | None, rate: int, raw_rate: int) -> "Iterator[NDArray[np.float32]]":
    from thaw.kinds.sounds import streams

    if source is None:
        return streams.of_microphone(rate)
    if source == "-":
        return streams.of_pipe(sys.stdin.buffer, rate, raw_rate=raw_rate)
    return streams.of_file(Path(source), rate)


def _heard(listener: "Listener", blocks: "Iterator[NDArray[np.float32]]") -> "Iterator[Heard]":
    import torch

    for block in blocks:
        yield listener.feed(torch.from_numpy(block))
    yield listener.end()


def _page(trigger: "TriggerModel", listener: "Listener", file: Path, scores: "NDArray[np.float32]") -> str:
    from thaw.evaluation.trigger.page import render_timeline
    from thaw.evaluation.trigger.timeline import Timeline
    from thaw.targets.trigger.evidence import Scored

    first_s, period_s = listener.first_s, listener.period_s
    hours = (first_s + period_s * max(0, len(scores) - 1)) / 3600
    scored = Scored(file.name, file.name, None, hours, scores, first_s, period_s, file=file)
    return render_timeline(
        Timeline(scored, trigger.word, trigger.promise.threshold, trigger.refractory), trigger.backbone.kind
    )


def _tell(event: "Event", as_json: bool) -> None:
    """Standard output is flushed: whoever reads it acts on the event."""
    from json import dumps

    line = dumps(vars(event)) if as_json else f"{event.at_s:9.2f} s  {event.word}  ({event.score:+.1f})"
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
