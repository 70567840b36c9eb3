"""One answer for an example, whatever form a network's own answer has."""

import torch
from torch import nn

from thaw.backbones.architectures import build_seeded
from thaw.backbones.one_answer import OneAnswer
from thaw.kinds.batches import stacked
from thaw.kinds.images.preprocessing import Preprocessing
from thaw.kinds.sounds.framed import framed
from thaw.kinds.sounds.preprocessing import WaveformPreprocessing


def test_answers_at_places_are_averaged_over_the_sound_alone() -> None:
    network = OneAnswer(build_seeded("speech_embedding", 3, 0), WaveformPreprocessing())
    generator = torch.Generator().manual_seed(0)
    sounds = [framed(torch.randn(length, generator=generator) / 10, 16_000) for length in (14_000, 30_000, 4_000)]
    with torch.inference_mode():
        together = network(stacked(sounds))
        alone = torch.cat([network(stacked([sound])) for sound in sounds])
    assert together.shape == (3, 3)
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)


def test_one_answer_stays_as_it_is() -> None:
    linear = nn.Sequential(nn.Flatten(), nn.Linear(12, 3))
    pixels = torch.randn(2, 3, 2, 2)
    preprocessing = Preprocessing(2, 2, "bilinear", (0.5,) * 3, (0.5,) * 3)
    assert OneAnswer(linear, preprocessing)(pixels).equal(linear(pixels))
