"""The stage `card` of the pipeline of the embedded sound network: it measures the network on real speech, and writes its card.

Beside it stands what needs no pretraining: the model without a backbone, and the same network from random weights.
"""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from torch import nn

from tasks.project.entry import stage
from tasks.stages.pretrain_sounds import SOURCE, TRAINING, TRANSCRIBER, WEIGHTS
from tasks.stages.sound_speech import FOLDER, SoundPretrainParams, read_sound_params
from tasks.stages.spoken_digits import (
    Digits,
    accuracies,
    backbone_features,
    batches_of,
    head_learner,
    plain,
    read_digits,
    scratch_learner,
)
from thaw.backbones.architectures import build_with_weights
from thaw.backbones.backbone import Backbone, read_backbone
from thaw.backbones.encoders.phones import PhoneNetwork
from thaw.backbones.weights import read_weights
from thaw.foundation.files.atomic import write_text
from thaw.foundation.parallel.torch_threads import threads
from thaw.foundation.statistics.bootstrap import Estimate
from thaw.kinds.batches import mapping_of
from thaw.pages.layout import percent, points
from thaw.params.sections import BackboneParams
from thaw.pretraining.sounds.espeak import phones_of_word
from thaw.pretraining.sounds.phones import PHONES
from thaw.pretraining.sounds.transcribing import phone_error_rate
from thaw.strategies.baselines.from_scratch import ScratchSettings
from thaw.targets.paired import paired_interval

METRICS, CARD = FOLDER / "metrics.json", FOLDER / "card.md"
LABELS = (5, 10, 20)
SEEDS, SCRATCH_SEEDS = 5, 3
SCRATCH = ScratchSettings(steps=100, batch_size=32)
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True)
class Measured:
    """Test accuracy with some labels of each digit, from 0 to 1, for each held-out speaker and seed, in that order.

    own_beside_scratch: of the draws that the training from random weights had, which takes long.
    """

    labels: int
    speakers: int
    own: tuple[float, ...]
    plain: tuple[float, ...]
    own_beside_scratch: tuple[float, ...]
    scratch: tuple[float, ...]


@dataclass(frozen=True)
class Heard:
    """phone_error_rate: errors a phone on all recordings of digits, of which none was learnt from; the true phones are those of American English."""

    recordings: int
    phone_error_rate: float


def main() -> None:
    """Measure, and write `metrics.json` and `card.md`."""
    params = read_sound_params()
    backbone = read_backbone(BackboneParams(weights=str(WEIGHTS)))
    digits = read_digits(params.digits, backbone.preprocessing)
    with threads(1):
        heard, measured = hear(backbone, digits), measure(backbone, digits)
    training = json.loads(TRAINING.read_text(encoding="utf-8"))
    found = {"heard": asdict(heard), "digits": [asdict(each) for each in measured]}
    write_text(METRICS, json.dumps(found, indent=2) + "\n")
    write_text(CARD, card(heard, measured, training, params))


def hear(backbone: Backbone, digits: Digits) -> Heard:
    """The phone error rate on the recordings."""
    read = read_weights(TRANSCRIBER).tensors
    reader = nn.Linear(read["weight"].shape[1], PHONES)
    reader.load_state_dict(dict(read))
    network = build_with_weights(backbone.architecture, read_weights(WEIGHTS).tensors)
    assert isinstance(network, PhoneNetwork)
    said = [phones_of_word(word) for word in WORDS]
    groups = list(batches_of(digits))
    true = [said[int(digits.targets[row])] for rows, _ in groups for row in rows]
    rate = phone_error_rate(network, reader, [mapping_of(batch) for _, batch in groups], true)
    return Heard(len(true), rate)


def measure(
    backbone: Backbone, digits: Digits, labels: Sequence[int] = LABELS, seeds: tuple[int, int] = (SEEDS, SCRATCH_SEEDS)
) -> list[Measured]:
    """The accuracies; seeds: of the heads, and of the training from random weights."""
    own, without = (head_learner(each, digits) for each in (backbone_features(digits, backbone), plain(digits)))
    scratch = scratch_learner(digits, backbone.architecture, SCRATCH)
    return [
        Measured(
            count,
            len(set(digits.speakers)),
            accuracies(own, digits, count, seeds[0]),
            accuracies(without, digits, count, seeds[0]),
            accuracies(own, digits, count, seeds[1]),
            accuracies(scratch, digits, count, seeds[1]),
        )
        for count in labels
    ]


def table(measured: Sequence[Measured]) -> str:
    """The accuracies in Markdown, with the leads in points and their 95 % intervals."""
    rows = [" | ".join(cells) for cells in map(_cells, measured)]
    head = "| labels a digit | embedded | MFCC and log-mel statistics | lead | from random weights | lead |\n| --- | --- | --- | --- | --- | --- |"
    return "\n".join([head, *(f"| {row} |" for row in rows)])


def _cells(measured: Measured) -> tuple[str, ...]:
    """A row of the table."""
    speakers = measured.speakers
    return (
        str(measured.labels),
        percent(statistics.mean(measured.own)),
        percent(statistics.mean(measured.plain)),
        points(lead(measured.own, measured.plain, speakers)),
        percent(statistics.mean(measured.scratch)),
        points(lead(measured.own_beside_scratch, measured.scratch, speakers)),
    )


def verdict(measured: Sequence[Measured]) -> str:
    """Whether the pretraining is worth anything beside the same network from random weights, in one sentence."""
    leads = [lead(each.own_beside_scratch, each.scratch, each.speakers) for each in measured]
    if all(each.low > 0 for each in leads):
        return (
            "A head on the frozen features is better than the network from random weights with every number of labels."
        )
    if all(each.high < 0 for each in leads):
        return "The network that learns from random weights is better than a head on the frozen features with every number of labels."
    return "Which of a head on the frozen features and the network from random weights is better depends on the number of labels, or is not known."


def lead(own: Sequence[float], other: Sequence[float], speakers: int) -> Estimate:
    """The mean lead over the draws that both have, with its 95 % interval over speakers, because draws that test on one speaker are not independent."""
    differences = np.subtract(own, other).reshape(speakers, -1)
    return paired_interval(differences.mean(1).tolist())


def card(heard: Heard, measured: Sequence[Measured], training: Mapping[str, Any], params: SoundPretrainParams) -> str:
    """The card as Markdown; every figure comes from the measurements and the record."""
    corpora = "\n".join(f"- {corpus.name}, {corpus.licence}, {corpus.from_}" for corpus in params.corpora)
    speech, teacher = training["speech"], params.teacher
    return f"""# The embedded sound network, `{training["architecture"]}`

{SOURCE} It ships so that sounds work without a download; its teacher is better.

## What it learnt from

espeak-ng spoke {params.speech.words:,} frequent words of

{corpora}

in {speech["utterances"]:,} utterances of one word or a few, {speech["hours"]:g} hours with {speech["phones"]:,} phones, with accents and voices of all kinds,
speeds, and pitches drawn at random. Rooms, noise, other voices, channels such as a telephone's, and other vocal tracts were drawn anew in each step
(`thaw/pretraining/sounds/rooms.py`). No word is a digit or one of the trigger words that benchmarks use, or begins or ends with one, or sounds like one. The
digest of the speech is `{speech["digest"]}`.

A teacher heard the same speech, without rooms and noise:

- {teacher.name}, {teacher.licence}, {teacher.from_}

It was trained to tell 5,000 keywords apart on recordings of its own, which are not published, so the network holds some of what that learnt from them; digits
may be among them.

## How it was made

It learnt to say what the teacher makes of each place and of the whole (squared distances of standardised features), the order of phones from transcripts by
CTC, the phone of each place, and the word of a single one: {training["steps"]:,} steps of {params.training.batch_size} utterances in
{training["minutes"]:g} minutes on one thread of a CPU that other work shared.

    make sound-backbone

## What it scores

On {heard.recordings:,} recordings of real speakers, of whose voices and words it heard none itself, it makes {percent(heard.phone_error_rate)} errors a
phone.

Test accuracy on spoken digits (Free Spoken Digit Dataset) when a speaker is held out, over all speakers. Draws of the labels for each: {SEEDS}, and for the
network from random weights {SCRATCH_SEEDS}. The leads are over the same draws, and have 95 % intervals over the
speakers.

{table(measured)}

{verdict(measured)} No recording was learnt from, but the settings were chosen by such measurements on them, so the leads are a little flattering.

## What it is not for

Music, machines and animals: it has heard speech alone, and synthetic speech at that.
"""


if __name__ == "__main__":
    stage(main)
