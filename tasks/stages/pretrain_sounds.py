"""The stage `pretrain` of the pipeline of the embedded sound network: it learns the phones and the words of synthetic speech."""

import json
from collections.abc import Sequence
from typing import Any

from tasks.project.entry import stage
from tasks.project.progress import counted
from tasks.stages.sound_lessons import LESSONS
from tasks.stages.sound_speech import FOLDER, SPEECH, SoundPretrainParams, read_sound_params
from thaw.backbones.weights import write_weights
from thaw.foundation.files.atomic import digest_file, write_text
from thaw.foundation.parallel.torch_threads import threads
from thaw.pretraining.sounds.digest import digest_of
from thaw.pretraining.sounds.lessons import read_lessons
from thaw.pretraining.sounds.speech import RATE, Speech, read_plan, read_speech
from thaw.pretraining.sounds.training import SoundTraining
from thaw.pretraining.storing import as_stored
from thaw.pretraining.training import Ran, run_training

WEIGHTS = FOLDER / "speech.safetensors"
TRANSCRIBER = FOLDER / "transcriber.safetensors"
TRAINING = FOLDER / "training.json"
PARTS = FOLDER / "parts"
SOURCE = (
    "A convolutional network, distilled from Google's speech embedding (Apache-2.0): it learnt what that makes of speech by espeak-ng, which spoke frequent "
    "words of novels (ELTeC, CC BY 4.0), and its phones and words."
)


def main() -> None:
    """Pretrain, and write the weights, what reads phones from them, and a record of the training."""
    params = read_sound_params()
    plan, speech = read_plan(SPEECH), read_speech(SPEECH)
    words, lessons = plan.words, read_lessons(LESSONS, plan.parts)
    training = SoundTraining(speech, len(words), lessons, params.training)
    folder = PARTS / "unfinished" / digest_of(speech, lessons, settings=params.training)
    folder.mkdir(parents=True, exist_ok=True)
    with threads(params.training.threads), counted("pretrain", "steps") as progress:
        ran = run_training(training, folder, progress)
    weights, reader = (as_stored(each, "float16") for each in (training.weights(), training.transcriber()))
    write_weights(WEIGHTS, weights.tensors, {**weights.metadata, "source": SOURCE})
    write_weights(TRANSCRIBER, reader.tensors, reader.metadata)
    write_text(TRAINING, json.dumps(record_of(params, words, speech, training, ran), indent=2) + "\n")


def record_of(
    params: SoundPretrainParams, words: Sequence[str], speech: Speech, training: SoundTraining, ran: Ran
) -> dict[str, Any]:
    """What `training.json` holds."""
    return {
        "weights": digest_file(WEIGHTS).hex(),
        "transcriber": digest_file(TRANSCRIBER).hex(),
        "architecture": training.weights().metadata["architecture"],
        "speech": {
            "digest": digest_of(speech),
            "utterances": len(speech.ends),
            "hours": round(len(speech.wave) / RATE / 3600, 2),
            "phones": len(speech.phones),
            "words": " ".join(words),
        },
        "steps": training.steps,
        "minutes": round(ran.seconds / 60, 1),
        "losses": ran.losses,
        "params": params.model_dump(mode="json", by_alias=True),
    }


if __name__ == "__main__":
    stage(main)
