"""The stage `speech` of the pipeline of the embedded sound network: espeak-ng speaks frequent words of the corpora."""

import logging
from pathlib import Path

from pydantic import Field

from tasks.project.entry import stage
from tasks.project.progress import counted
from tasks.stages.text_corpora import CorpusParams, SourceParams, check, sentences_of
from thaw.params.sections.section import Section
from thaw.params.values.section_file import read_section
from thaw.pretraining.sounds.espeak import phones_of_word
from thaw.pretraining.sounds.speech import SpeechPlan, make_speech
from thaw.pretraining.sounds.training import SoundSettings
from thaw.pretraining.sounds.vocabulary import vocabulary_of

log = logging.getLogger(__name__)

FOLDER = Path("data/pretrain/sounds")
PARAMS = FOLDER / "params.yaml"
SPEECH = FOLDER / "parts/speech"


class SpeechParams(Section):
    """What is spoken. words: the number of different words. utterances: how many, of one word or a few."""

    words: int = Field(default=3000, ge=2)
    utterances: int = Field(default=40_000, ge=2)
    seed: int = Field(default=0, ge=0)


class SoundPretrainParams(Section):
    """All parameters of `data/pretrain/sounds/params.yaml`. teacher: a speech embedding that the network is distilled from. digits: a folder of recordings
    `DIGIT_SPEAKER_NUMBER` that measures the result."""

    corpora: tuple[CorpusParams, ...] = Field(min_length=1)
    teacher: SourceParams
    speech: SpeechParams = SpeechParams()
    training: SoundSettings = SoundSettings()
    digits: Path


def main() -> None:
    """Choose the words, and speak what is not spoken yet."""
    params = read_sound_params()
    for corpus in params.corpora:
        check(corpus, PARAMS)
    lines = (line for corpus in params.corpora for line in sentences_of(corpus))
    words = vocabulary_of(lines, params.speech.words, phones_of_word)
    with counted("speak", "parts") as progress:
        make_speech(SpeechPlan(words, params.speech.utterances, params.speech.seed), SPEECH, progress)
    log.info("%s: %s utterances of %s words", SPEECH, f"{params.speech.utterances:,}", f"{len(words):,}")


def read_sound_params(path: Path = PARAMS) -> SoundPretrainParams:
    """Read and check the parameters.

    Raises:
        BadParameters: the file is missing, or has values that are not allowed.
    """
    return read_section(path, SoundPretrainParams)


if __name__ == "__main__":
    stage(main)
