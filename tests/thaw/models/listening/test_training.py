"""A trigger from a few clips: found in a stream, not found without it, and a promise on recordings that trained nothing."""

import pytest
from listening_models import RATE, embedding, noise
from whistles import whistle

from thaw.foundation.errors import BadManifest
from thaw.heads.trigger.fitting import DetectorSettings
from thaw.models.listening.listener import Listener
from thaw.models.listening.material import Sound, hear
from thaw.models.listening.training import train_trigger
from thaw.models.listening.trigger_model import TriggerModel
from thaw.targets.trigger.promise import Budget

SETTINGS = DetectorSettings(places=4, negatives=200, hard=50, turns=2)


def trained(clips: int = 8, others: int = 6) -> TriggerModel:
    material = hear(
        "whistle",
        embedding(),
        clips=[Sound(whistle(seed), str(seed)) for seed in range(clips)],
        others=[Sound(noise(4, seed), str(seed)) for seed in range(others)],
        noise=noise(5, 50),
        settings=SETTINGS,
    )
    return train_trigger("whistle", embedding(), material, budget=Budget(0.5), settings=SETTINGS)


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
