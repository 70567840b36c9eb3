import pytest
import torch
from listening_models import RATE, noise

from thaw.backbones.places import Span
from thaw.features.sequences.speech_end import end_of_speech, place_behind
from thaw.kinds.sounds.framed import SAMPLES, framed


def test_speech_ends_where_it_is_loud_for_the_last_time() -> None:
    wave = torch.cat([1e-3 * noise(0.5), noise(1.0, 1), 1e-3 * noise(0.77, 2)])
    assert end_of_speech(framed(wave, RATE)[SAMPLES]) == pytest.approx(150, abs=8)


@pytest.mark.parametrize(("samples", "end"), [(RATE, 100), (0, 0), (RATE // 40, 3)])
def test_it_lies_within_the_clip(samples: int, end: int) -> None:
    assert end_of_speech(framed(torch.zeros(samples), RATE)[SAMPLES][: -(-samples * 100 // RATE)]) == end


def test_the_place_behind_has_heard_all_of_it() -> None:
    span = Span(window=76, stride=8, least=76, filled=76)
    assert [place_behind(frames, span) for frames in (0, 76, 77, 84, 85)] == [0, 0, 1, 1, 2]
