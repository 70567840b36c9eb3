"""`thaw trigger`: a trigger model from clips of it and from recordings without it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from thaw.models.listening.recordings import Recordings
    from thaw.models.listening.trigger_model import TriggerModel

REPORT = "report.html"


def trigger(
    *,
    word: Annotated[str, typer.Argument(help="The name of the trigger, as `thaw listen` reports it.")],
    clips: Annotated[Path, typer.Argument(help="A folder of clips of the trigger, some twenty or more.")],
    others: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER",
            help="Recordings without the trigger, the more hours the better; those of a folder below it are of one group, such as a speaker.",
        ),
    ],
    noise: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Noise of the place, a sound or a folder of sounds, which is mixed into clips and recordings.")
    ] = None,
    near: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WORD",
            help="A word that sounds like the trigger and must not be taken for it; espeak-ng speaks it by many voices. It can be given several times.",
        ),
    ] = None,
    weights: Annotated[
        Path, typer.Option(metavar="FILE", help="The backbone, as `thaw convert speech-embedding FILE` makes it.")
    ] = Path("speech.safetensors"),
    architecture: Annotated[
        str, typer.Option(help="Of the backbone: one whose places do not depend on what comes later.")
    ] = "speech_embedding-local",
    false_accepts: Annotated[
        float, typer.Option("--false-accepts", min=0.001, help="The most false accepts an hour.")
    ] = 0.5,
    layers: Annotated[Literal["one", "several"], typer.Option(help="New layers of the detector.")] = "several",
    seed: Annotated[int, typer.Option(min=0, help="The seed of the choice of recordings, of noise and of the training.")] = 0,
    out: Annotated[Path, typer.Option(help="The folder to write, in place of an older one.")] = Path("data/trigger"),
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:  # fmt: skip
    """Train a trigger for `thaw listen`, say what is promised of it, and write a report.

    Half of the groups of recordings without the trigger train the detector. The other half tune the threshold, and show how many false accepts an hour there
    are at most. How often the trigger is missed is measured by cross-validation over groups of clips.
    """
    import torch

    from flows.cli.terminal import print_json
    from tasks.project.progress import counted
    from thaw.backbones.backbone import read_backbone
    from thaw.evaluation.trigger.page import render_trigger
    from thaw.features.sequences.network import rate_of
    from thaw.foundation.errors import BadParameters
    from thaw.foundation.files.atomic import write_text
    from thaw.foundation.parallel.torch_threads import threads
    from thaw.heads.trigger.fitting import DetectorSettings
    from thaw.models.listening.cross_validation import cross_validate
    from thaw.models.listening.material import hear
    from thaw.models.listening.recordings import read_recordings
    from thaw.models.listening.storage import write_trigger
    from thaw.models.listening.training import train_trigger
    from thaw.params.sections import BackboneParams
    from thaw.pretraining.sounds.near_words import spoken_words
    from thaw.targets.trigger.promise import Budget

    if not weights.is_file():
        raise BadParameters(
            f"{weights} does not exist; `thaw convert speech-embedding {weights}` makes it, or name another backbone of sounds"
        )
    backbone = read_backbone(BackboneParams(weights=str(weights), architecture=architecture))
    rate = rate_of(backbone)
    with counted("clips", "sounds") as progress:
        heard = read_recordings(clips, rate, progress)
    with counted("others", "sounds") as progress:
        quiet = read_recordings(others, rate, progress)
    around = None if noise is None else read_recordings(noise, rate)
    for each in (heard, quiet, *([around] if around else [])):
        _tell_rejected(each)
    settings = DetectorSettings(layers=layers, seed=seed)
    with threads(1):
        with counted("features", "sounds") as progress:
            material = hear(
                word,
                backbone,
                clips=heard.sounds,
                others=quiet.sounds,
                noise=None if around is None else torch.cat(around.waves),
                near=[torch.from_numpy(wave) for wave in spoken_words(near, rate, seed)] if near else (),
                settings=settings,
                progress=progress,
            )
        model = train_trigger(word, backbone, material, budget=Budget(false_accepts), settings=settings)
        write_trigger(model, out)
        with counted("held-out clips", "parts") as progress:
            evidence = cross_validate(model, material, settings=settings, progress=progress)
    write_text(out / REPORT, render_trigger(evidence, backbone.kind))
    print_json(vars(model.promise)) if json else _say(model, len(heard.sounds), out)


def _tell_rejected(recordings: "Recordings") -> None:
    from flows.cli.terminal import err

    for reason in recordings.rejected:
        err().print(f"left out: {reason}", style="yellow", markup=False, soft_wrap=True)


def _say(model: "TriggerModel", clips: int, folder: Path) -> None:
    from flows.cli.terminal import out

    out().print(f"{folder}: {model.word}, from {clips} clips", style="green", markup=False, soft_wrap=True)
    out().print(str(model.promise), markup=False, soft_wrap=True)
    out().print(f"{folder / REPORT}: misses, false accepts, and sounds to listen to", markup=False, soft_wrap=True)
    out().print(f"thaw listen FILE --model {folder}", style="dim", markup=False, soft_wrap=True)
