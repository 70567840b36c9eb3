"""The training learns, goes on after an interruption to the same numbers, and its random rooms keep what is padding."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from thaw.backbones.encoders.log_mel import log_mel
from thaw.kinds.sounds.framed import MASK, hop_of
from thaw.pretraining.sounds.lessons import EVERY, FIRST, Lessons, places_of
from thaw.pretraining.sounds.phones import BLANK
from thaw.pretraining.sounds.rooms import heard
from thaw.pretraining.sounds.speech import RATE, Speech
from thaw.pretraining.sounds.training import SoundSettings, SoundTraining
from thaw.pretraining.sounds.transcribing import transcribed
from thaw.pretraining.training import run_training

SETTINGS = SoundSettings(bands=16, dim=16, blocks=2, steps=8, batch_size=6)
TONES = (400.0, 900.0, 1800.0, 3000.0)


def tones(count: int = 24) -> Speech:
    """Utterances of two tones, which stand for phones."""
    chance = np.random.default_rng(0)
    phones = chance.integers(1, len(TONES) + 1, (count, 2))
    time = np.arange(1600) / RATE
    waves = [np.concatenate([np.sin(2 * np.pi * TONES[phone - 1] * time) for phone in pair]) for pair in phones]
    return Speech(
        wave=(8000 * np.concatenate(waves)).astype(np.int16),
        ends=3200 * np.arange(1, count + 1),
        words=np.where(np.arange(count) % 3, phones[:, 0] - 1, -1),
        phones=phones.ravel(),
        begins=np.tile([0, 1600], count),
        phone_ends=2 * np.arange(1, count + 1),
    )


def lessons_of(speech: Speech) -> Lessons:
    """A teacher that says which tone it hears in the middle of its window, or next to it."""
    (places,) = set(places_of(np.diff(speech.ends, prepend=0) // hop_of(RATE)).tolist())
    late = (FIRST + EVERY * np.arange(places) > 10).astype(np.int64)
    heard = speech.phones.reshape(-1, 2)[:, late] - 1
    return Lessons(
        np.eye(len(TONES), dtype=np.float16)[heard].reshape(-1, len(TONES)), places * np.arange(1, len(heard) + 1)
    )


def made(settings: SoundSettings = SETTINGS) -> SoundTraining:
    speech = tones()
    return SoundTraining(speech, len(TONES), lessons_of(speech), settings)


def test_a_batch_says_what_is_where() -> None:
    training = made()
    examples = training.examples(np.arange(4), np.random.default_rng(0))
    places = (examples.places != BLANK).sum(1)
    assert examples.samples.shape[2] == hop_of(RATE) and examples.counts.tolist() == [2] * 4
    assert ((places >= 8) & (places <= 10)).all(), "0.2 s less the margin are about nine places"
    sounding = examples.samples.abs().amax(2)[:, ::2] > 0.1
    assert ((examples.places != BLANK) & ~sounding).sum() <= 4, "phones stand where the sound is"


def test_the_loss_falls_and_reaches_every_tensor() -> None:
    settings = SETTINGS.model_copy(update={"steps": 40, "learning_rate": 1e-2})
    training = made(settings)
    before = training.weights().tensors
    losses = [training.step(number) for number in range(settings.steps)]
    assert np.mean(losses[-10:]) < 0.5 * np.mean(losses[:10])
    after = training.weights().tensors
    assert not [name for name in before if not name.startswith("fc.") and torch.equal(before[name], after[name])]


def test_a_lesson_stands_where_the_sound_is() -> None:
    training = made()
    examples = training.examples(np.arange(4), np.random.default_rng(0))
    lesson, tones_there = examples.lesson, examples.places - 1
    assert lesson.features.shape == (4, 5, len(TONES)) and lesson.summary.shape == (4, 2 * len(TONES))
    for row in range(4):
        inner = lesson.at[row, 1:4]
        assert lesson.there[row, 1:4].all()
        found = lesson.features[row, 1:4].argmax(1)
        # A place at the border of the tones may have either.
        nearby = tones_there[row][torch.stack([inner - 1, inner, inner + 1])]
        assert ((nearby == found) | (nearby == BLANK - 1)).any(0).all()


def test_what_the_teacher_says_is_learnt_and_its_places_are_those_of_the_sound() -> None:
    settings = SETTINGS.model_copy(
        update={"steps": 60, "learning_rate": 1e-2, "places": 0.0, "words": 0.0, "lessons": 5.0}
    )
    taught, own = made(settings), made(settings.model_copy(update={"lessons": 0.0}))
    for number in range(settings.steps):
        taught.step(number)
        own.step(number)
    examples = taught.examples(np.arange(12), np.random.default_rng(0))
    bands = log_mel(examples.samples, examples.mask, settings.bands)
    with torch.no_grad():
        places = taught.network.after_stem(taught.network.stem.of_bands(bands, examples.mask))
        lesson = examples.lesson
        read = places.gather(1, lesson.at[:, :, None].expand(-1, -1, settings.dim))
        right = taught.heads.taught(read)[lesson.there].argmax(1) == lesson.features[lesson.there].argmax(1)
    assert right.float().mean() > 0.6, "chance is a quarter"
    unread = own.heads.taught.weight
    assert torch.equal(unread, made(settings).heads.taught.weight), "without a weight the teacher changes nothing"


def test_a_transcript_has_each_phone_once_while_it_lasts() -> None:
    best = torch.tensor([[0, 3, 3, 0, 3, 2, 0], [1, 1, 0, 0, 4, 4, 4]])
    network = SimpleNamespace(places=lambda batch: F.one_hot(best, 5).float())
    mask = torch.arange(14) < torch.tensor([[14], [7]])
    found = transcribed(network, torch.nn.Identity(), {MASK: mask})  # type: ignore[arg-type]
    assert found == [[3, 3, 2], [1]]


def test_an_interrupted_training_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    whole = made()
    run_training(whole, tmp_path / "whole")

    class Stop(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done == 3:
            raise Stop

    with pytest.raises(Stop):
        run_training(made(), tmp_path / "stopped", stop, saved_every_s=0.0)
    told: list[int] = []
    again = made()
    run_training(again, tmp_path / "stopped", lambda done, total: told.append(done), saved_every_s=0.0)
    assert told == list(range(4, SETTINGS.steps + 1)), "what was done is not done again"
    wanted = whole.weights().tensors
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in again.weights().tensors.items())


def test_the_seed_changes_the_numbers() -> None:
    first, second, third = (made(SETTINGS.model_copy(update={"seed": seed})).step(0) for seed in (1, 1, 2))
    assert first == second != third


def test_rooms_change_sounds_and_leave_padding_empty() -> None:
    examples = made().examples(np.arange(6), np.random.default_rng(1))
    clean = log_mel(examples.samples, examples.mask, 16)
    found, again, other = (
        heard(examples.samples, examples.mask, 16, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)
    )
    assert found.shape == clean.shape and torch.isfinite(found).all()
    assert torch.equal(found, again) and not torch.equal(found, other) and not torch.allclose(found, clean, atol=0.1)
    assert not found[~examples.mask].any()
