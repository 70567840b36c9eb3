"""A trigger from a few clips: found in a stream, not found without it, and a promise on recordings that trained nothing."""

import pytest
import torch
from listening_models import RATE, embedding, noise
from whistles import whistle

from thaw.foundation.errors import BadManifest
from thaw.heads.trigger.fitting import DetectorSettings
from thaw.models.listening.listener import Listener
from thaw.models.listening.training import Sound, mixed, train_trigger
from thaw.models.listening.trigger_model import TriggerModel
from thaw.targets.trigger.promise import Budget

SETTINGS = DetectorSettings(places=4, negatives=200, hard=50, turns=2)


def trained(clips: int = 8, others: int = 6) -> TriggerModel:
    return train_trigger(
        "whistle",
        embedding(),
        clips=[whistle(seed) for seed in range(clips)],
        others=[Sound(noise(4, seed), str(seed)) for seed in range(others)],
        noise=noise(5, 50),
        budget=Budget(0.5),
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


def test_noise_has_the_ratio_that_is_asked_for() -> None:
    wave = whistle(0)
    added = mixed(wave, noise(3), 10.0, torch.Generator().manual_seed(0)) - wave
    assert 10 * torch.log10(wave.square().mean() / added.square().mean()) == pytest.approx(10.0, abs=0.01)
