"""Synthetic speech in parts, each of which is made by a process of its own and kept: what is interrupted goes on with the parts that are missing.

A part depends on the seed and its number alone. espeak-ng carries random numbers from one utterance to the next, so two parts in one process would depend on
their order.
"""

import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from thaw.foundation.files.atomic import atomic, write_text
from thaw.foundation.parallel.progress import Progress, untold
from thaw.pretraining.sounds.espeak import Voice, espeak
from thaw.pretraining.sounds.phones import timed

RATE = 16_000
PLAN = "plan.json"
ENGLISH = ("en-us", "en-us-nyc", "en", "en-gb-x-rp", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029")
OTHERS = ("de", "fr", "es", "es-419", "it", "pt", "nl", "el", "pl", "sv")
"""Languages whose rules read English words as a foreigner might."""
# fmt: off
VARIANTS = (
    "f1", "f2", "f3", "f4", "f5", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "klatt", "klatt2", "klatt3", "klatt4", "klatt5", "klatt6", "Alex",
    "Alicia", "Andrea", "Andy", "Annie", "Denis", "Diogo", "Gene", "Gene2", "Henrique", "Hugo", "Jacky", "Lee", "Marco", "Mario", "Michael", "Mike",
    "Nguyen", "Reed", "RicishayMax", "RicishayMax2", "RicishayMax3", "adam", "anika", "announcer", "antonio", "aunty", "belinda", "benjamin", "boris",
    "caleb", "david", "ed", "edward", "grandma", "grandpa", "gustave", "ian", "iven", "iven2", "iven3", "iven4", "john", "linda", "marcelo", "max",
    "michel", "miguel", "norbert", "pablo", "paul", "pedro", "quincy", "rob", "robert", "sandro", "shelby", "steph", "steph2", "steph3", "travis",
    "victor", "zac",
)
# fmt: on
_FOREIGN, _PHRASES = 0.25, 0.25
MARGIN_S = 0.03
"""What is kept of the sound before the first phone and behind the last one."""


@dataclass(frozen=True)
class SpeechPlan:
    """words: what may be spoken. count: of utterances. part: utterances of a part."""

    words: tuple[str, ...]
    count: int
    seed: int = 0
    part: int = 1000

    @property
    def parts(self) -> int:
        """The number of parts."""
        return -(-self.count // self.part)


@dataclass(frozen=True)
class Speech:
    """Utterances one after another.

    wave: int16 [N] at `RATE`. ends: int64 [U], where each ends in `wave`. words: int64 [U], the place of the one English word in the vocabulary, -1: several
    words, or a foreign reading. phones: int64 [P]. begins: int64 [P], the sample of the utterance where each begins. phone_ends: int64 [U].
    """

    wave: NDArray[np.int16]
    ends: NDArray[np.int64]
    words: NDArray[np.int64]
    phones: NDArray[np.int64]
    begins: NDArray[np.int64]
    phone_ends: NDArray[np.int64]


def make_speech(plan: SpeechPlan, folder: Path, progress: Progress = untold, *, processes: int = 1) -> None:
    """Speak the parts that are missing in `folder`, all of them if those there are of another plan; progress: of parts."""
    folder.mkdir(parents=True, exist_ok=True)
    _keep_own(plan, folder)
    missing = [number for number in range(plan.parts) if not part_file(folder, number).is_file()]
    progress(plan.parts - len(missing), plan.parts)
    with ProcessPoolExecutor(processes, get_context("spawn"), max_tasks_per_child=1) as pool:
        for done, _ in enumerate(pool.map(_write_part, [plan] * len(missing), missing, [folder] * len(missing)), 1):
            progress(plan.parts - len(missing) + done, plan.parts)


def _keep_own(plan: SpeechPlan, folder: Path) -> None:
    """Remove parts of another plan, and write down this one."""
    stated, written = json.dumps(asdict(plan)) + "\n", folder / PLAN
    if written.is_file() and written.read_text(encoding="utf-8") == stated:
        return
    for part in folder.glob("speech-*.safetensors"):
        part.unlink()
    write_text(written, stated)


def read_plan(folder: Path) -> SpeechPlan:
    """The plan of the speech in a folder."""
    given = json.loads((folder / PLAN).read_text(encoding="utf-8"))
    return SpeechPlan(**{**given, "words": tuple(given["words"])})


def part_file(folder: Path, number: int) -> Path:
    """Where a part lies."""
    return folder / f"speech-{number:04}.safetensors"


def read_part(path: Path) -> Speech:
    """The speech of a part."""
    arrays: dict[str, Any] = load_file(path)
    return Speech(**arrays)


def read_speech(folder: Path) -> Speech:
    """All parts of a folder, one after another."""
    found = [vars(read_part(part_file(folder, number))) for number in range(read_plan(folder).parts)]
    arrays: dict[str, Any] = {name: _joined([part[name] for part in found], name) for name in found[0]}
    return Speech(**arrays)


def _joined(arrays: Sequence[NDArray[np.int64]], name: str) -> NDArray[np.int64]:
    if not name.endswith("ends"):
        return np.concatenate(arrays)
    before = np.cumsum([0, *(array[-1] for array in arrays[:-1])])
    return np.concatenate([array + start for array, start in zip(arrays, before, strict=True)])


def _write_part(plan: SpeechPlan, number: int, folder: Path) -> None:
    speech = speak_part(plan, number)
    with atomic(part_file(folder, number)) as temporary:
        save_file(vars(speech), temporary)


def speak_part(plan: SpeechPlan, number: int) -> Speech:
    """One part; the same in any fresh process."""
    chance = np.random.default_rng((plan.seed, number))
    waves, words, phones = [], [], []
    for _ in range(min(plan.part, plan.count - number * plan.part)):
        wave, word, said = _utterance(plan.words, chance)
        waves.append(wave)
        words.append(word)
        phones.append(said)
    flat = [each for said in phones for each in said]
    return Speech(
        wave=np.concatenate(waves),
        ends=np.cumsum([len(wave) for wave in waves]),
        words=np.array(words, np.int64),
        phones=np.array([phone for phone, _ in flat], np.int64),
        begins=np.array([begin for _, begin in flat], np.int64),
        phone_ends=np.cumsum([len(said) for said in phones]),
    )


def _utterance(
    words: Sequence[str], chance: np.random.Generator
) -> tuple[NDArray[np.int16], int, list[tuple[int, int]]]:
    """A wave at `RATE`, the place of its word, and its phones with their beginnings."""
    import soxr

    foreign, phrase = chance.random() < _FOREIGN, chance.random() < _PHRASES
    places = chance.integers(len(words), size=int(chance.integers(2, 4)) if phrase else 1)
    language = str(chance.choice(OTHERS if foreign else ENGLISH))
    voice = Voice(
        f"{language}+{chance.choice(VARIANTS)}",
        speed=int(chance.integers(110, 260)),
        pitch=int(chance.integers(10, 91)),
        pitch_range=int(chance.integers(10, 91)),
    )
    synthesizer = espeak()
    spoken = synthesizer.speak(" ".join(words[place] for place in places), voice)
    named = [(name, begin) for name, begin in spoken.phones if name]
    margin = round(MARGIN_S * synthesizer.rate)
    end = min([begin for name, begin in spoken.phones if not name and begin > named[-1][1]], default=len(spoken.wave))
    first = max(named[0][1] - margin, 0)
    wave = soxr.resample(spoken.wave[first : end + margin], synthesizer.rate, RATE)
    ratio = RATE / synthesizer.rate
    said = [(phone, round((begin - first) * ratio)) for phone, begin in timed(named, end)]
    return wave, -1 if foreign or phrase else int(places[0]), said
