"""Synthetic speech: the same in every fresh process, in parts, of which only the missing ones are made."""

from pathlib import Path

import numpy as np
import pytest

from thaw.foundation.errors import BadParameters
from thaw.pretraining.sounds.espeak import Voice, espeak
from thaw.pretraining.sounds.phones import LETTERS, numbers_of
from thaw.pretraining.sounds.speech import (
    ENGLISH,
    OTHERS,
    RATE,
    VARIANTS,
    SpeechPlan,
    make_speech,
    part_file,
    read_speech,
)

WORDS = ("house", "tree", "water")
PLAN = SpeechPlan(WORDS, count=30, seed=3, part=20)


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spoken")
    make_speech(PLAN, folder)
    return folder


def test_a_word_has_its_phones_in_order() -> None:
    found = espeak().speak("strange", Voice("en-us+f3"))
    named = [(name, begin) for name, begin in found.phones if name]
    assert "".join(LETTERS[number - 1] for name, _ in named for number in numbers_of(name)) == "stɹeɪndʒ"
    begins = [begin for _, begin in named]
    assert begins == sorted(begins) and begins[-1] < len(found.wave)
    assert found.wave.dtype == np.int16 and np.abs(found.wave).max() > 1000


def test_speed_and_pitch_change_the_sound() -> None:
    slow, fast = (len(espeak().speak("strange", Voice("en-us", speed=speed)).wave) for speed in (110, 250))
    assert slow > 1.4 * fast


def test_a_voice_that_there_is_not_is_told() -> None:
    with pytest.raises(BadParameters, match="has no voice en-moon"):
        espeak().speak("strange", Voice("en-moon"))


def test_there_are_all_the_voices() -> None:
    for name in (
        *(f"{language}+m1" for language in (*ENGLISH, *OTHERS)),
        *(f"en-us+{variant}" for variant in VARIANTS),
    ):
        espeak().speak("a", Voice(name))


def test_every_utterance_has_a_wave_a_word_and_phones_within_it(spoken: Path) -> None:
    speech = read_speech(spoken)
    assert len(speech.ends) == len(speech.words) == len(speech.phone_ends) == PLAN.count
    assert speech.ends[-1] == len(speech.wave) and speech.phone_ends[-1] == len(speech.phones)
    lengths = np.diff(speech.ends, prepend=0)
    assert (lengths > 0.1 * RATE).all() and (np.diff(speech.phone_ends, prepend=0) > 0).all()
    assert (speech.begins < np.repeat(lengths, np.diff(speech.phone_ends, prepend=0))).all() and (
        speech.begins >= 0
    ).all()
    assert set(speech.words.tolist()) == {-1, 0, 1, 2}
    tree = speech.words.tolist().index(1)
    own = speech.phones[speech.phone_ends[tree - 1] if tree else 0 : speech.phone_ends[tree]]
    assert "".join(LETTERS[number - 1] for number in own).startswith("t")


def test_missing_parts_are_made_to_the_same_bytes_and_others_stay(spoken: Path, tmp_path: Path) -> None:
    first, second = (part_file(spoken, number).read_bytes() for number in (0, 1))
    make_speech(PLAN, tmp_path)
    part_file(tmp_path, 0).write_bytes(b"there already")
    part_file(tmp_path, 1).unlink()
    told: list[tuple[int, int]] = []
    make_speech(PLAN, tmp_path, lambda done, total: told.append((done, total)))
    assert part_file(tmp_path, 0).read_bytes() == b"there already" and part_file(tmp_path, 1).read_bytes() == second
    assert told == [(1, 2), (2, 2)]
    make_speech(SpeechPlan(WORDS, count=20, seed=4, part=20), tmp_path)
    assert part_file(tmp_path, 0).read_bytes() not in (b"there already", first)
    assert not part_file(tmp_path, 1).exists(), "parts of another plan are removed"
