"""A trigger from a few clips: found in a stream, not found without it, and a promise on recordings that trained nothing."""

from collections.abc import Sequence

import pytest
import torch
from listening_models import RATE, embedding, noise
from torch import Tensor
from whistles import whistle

from thaw.foundation.errors import BadManifest
from thaw.heads.trigger.fitting import DetectorSettings
from thaw.models.listening.listener import Listener
from thaw.models.listening.material import Material, Sound, hear
from thaw.models.listening.training import train_trigger
from thaw.models.listening.trigger_model import TriggerModel
from thaw.pretraining.sounds import near_words
from thaw.pretraining.sounds.near_words import spoken_words
from thaw.targets.trigger.promise import Budget

SETTINGS = DetectorSettings(places=4, negatives=200, hard=50, turns=2)


def trained(clips: int = 8, others: int = 6) -> TriggerModel:
    material = heard(clips, others)
    return train_trigger("whistle", embedding(), material, budget=Budget(0.5), settings=SETTINGS)


def heard(clips: int = 8, others: int = 6, near: Sequence[Tensor] = ()) -> Material:
    return hear(
        "whistle",
        embedding(),
        clips=[Sound(whistle(seed), str(seed)) for seed in range(clips)],
        others=[Sound(noise(4, seed), str(seed)) for seed in range(others)],
        noise=noise(5, 50),
        near=near,
        settings=SETTINGS,
    )


def test_a_whistle_is_heard_where_it_ends_and_noise_is_not() -> None:
    model = trained()
    assert model.promise.hours == pytest.approx(3 * 4 / 3600)
    assert (model.promise.accepted, model.promise.groups, model.refractory) == (0, 3, 25)
    stream = 0.2 * noise(9, 98)
    for start_s in (2, 6):
        stream[start_s * RATE : start_s * RATE + RATE // 2] += whistle(99)
    events = Listener(model).feed(stream).events
    assert [round(event.at_s) for event in events] == [pytest.approx(each, abs=1) for each in (3, 7)]
    assert not Listener(model).feed(noise(9, 97)).events


@pytest.mark.parametrize(("clips", "others"), [(0, 6), (8, 1)])
def test_what_cannot_be_trained_is_refused(clips: int, others: int) -> None:
    with pytest.raises(BadManifest, match="whistle: "):
        trained(clips, others)


def test_near_words_are_spoken_by_many_voices_and_train_without_tuning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_words, "VOICES", 3)
    waves = [torch.from_numpy(wave) for wave in spoken_words(["jar", "service"], RATE)]
    assert len(waves) == 6 and all(0.1 < len(wave) / RATE < 2 and 0.05 < wave.abs().max() <= 1 for wave in waves)
    assert len({len(wave) for wave in waves}) > 2, "of different speeds and voices"
    without, beside = heard(2, 4), heard(2, 4, waves)
    assert len(beside.negatives) == len(without.negatives) + 2 * len(waves), "clean and in noise"
    assert [each.sound.name for each in beside.tuning] == [each.sound.name for each in without.tuning]
