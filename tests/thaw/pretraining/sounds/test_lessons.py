"""The lessons are what the teacher makes of each utterance, part by part, and those of another teacher are not kept."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

from thaw.backbones.architectures import build_seeded
from thaw.backbones.weights import write_weights
from thaw.foundation.errors import BadParameters
from thaw.foundation.files.atomic import write_text
from thaw.pretraining.sounds.lessons import (
    AROUND,
    Lessons,
    lessons_file,
    make_lessons,
    places_of,
    read_lessons,
    read_teacher,
    taught,
)
from thaw.pretraining.sounds.speech import PLAN, Speech, part_file

LENGTHS = (2000, 9000, 4100, 15_000, 3000)


def utterances(seed: int = 0) -> Speech:
    waves = np.random.default_rng(seed).integers(-8000, 8000, sum(LENGTHS)).astype(np.int16)
    none = np.zeros(0, np.int64)
    return Speech(waves, np.cumsum(LENGTHS), np.zeros(len(LENGTHS), np.int64), none, none, none)


@pytest.fixture
def teacher(tmp_path: Path) -> Path:
    return written(tmp_path / "teacher.safetensors", "speech_embedding", 0)


def written(path: Path, architecture: str, seed: int) -> Path:
    network = build_seeded(architecture, 1, seed)
    write_weights(path, network.state_dict(), {"architecture": architecture})
    return path


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    folder = tmp_path / "speech"
    folder.mkdir()
    for number in range(2):
        save_file(vars(utterances(number)), part_file(folder, number))
    write_text(folder / PLAN, '{"words": ["house"], "count": 10, "part": 5}')
    return folder


def test_a_lesson_is_what_the_teacher_makes_of_the_utterance_in_silence(teacher: Path) -> None:
    network, speech = read_teacher(teacher), utterances()
    lessons = taught(network, speech)
    frames = -(-np.array(LENGTHS) // 160)
    assert np.diff(lessons.ends, prepend=0).tolist() == places_of(frames).tolist()
    for row, length in enumerate(LENGTHS):
        end = int(speech.ends[row])
        wave = torch.from_numpy(speech.wave[end - length : end]) / 2**15
        samples = F.pad(wave, (0, int(frames[row]) * 160 - length)).view(1, -1, 160)
        alone = F.pad(samples, (0, 0, AROUND, AROUND))
        with torch.no_grad():
            wanted = network.places({"samples": alone, "mask": torch.ones(alone.shape[:2], dtype=torch.bool)})[0]
        begin = lessons.ends[row - 1] if row else 0
        found = lessons.places[begin : lessons.ends[row]].astype(np.float32)
        np.testing.assert_allclose(found, wanted.numpy()[: len(found)], atol=2e-3, rtol=2e-3)


def test_lessons_come_back_from_the_disk_part_by_part(teacher: Path, speech: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    make_lessons(teacher, speech, tmp_path / "lessons", lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]
    found = read_lessons(tmp_path / "lessons", 2)
    parts = [taught(read_teacher(teacher), utterances(number)) for number in range(2)]
    np.testing.assert_array_equal(found.places, np.concatenate([part.places for part in parts]))
    assert found.ends.tolist() == [*parts[0].ends, *(parts[1].ends + parts[0].ends[-1])]
    assert isinstance(found, Lessons) and found.places.std(0).max() > 0


def test_what_is_there_is_kept_and_what_another_teacher_said_is_not(
    teacher: Path, speech: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "lessons"
    make_lessons(teacher, speech, folder)
    first, second = (lessons_file(folder, number) for number in range(2))
    whole, kept = second.read_bytes(), first.stat().st_mtime_ns
    second.unlink()
    make_lessons(teacher, speech, folder)
    assert second.read_bytes() == whole and first.stat().st_mtime_ns == kept
    make_lessons(written(tmp_path / "other.safetensors", "speech_embedding", 1), speech, folder)
    assert first.stat().st_mtime_ns != kept and second.read_bytes() != whole


def test_a_teacher_that_is_no_speech_embedding_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "other.safetensors", "phones-16x8x1", 0)
    with pytest.raises(BadParameters, match="is `phones-16x8x1`; give a speech embedding"):
        read_teacher(path)
