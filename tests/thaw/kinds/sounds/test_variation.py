"""Views and random changes of sounds."""

import numpy as np
import torch
from made_up_sounds import tone, written

from thaw.foundation.parallel.memory_budget import MemoryBound
from thaw.kinds.batches import mapping_of, stacked
from thaw.kinds.kind import Limits
from thaw.kinds.sounds.framed import framed
from thaw.kinds.sounds.kind import KIND
from thaw.kinds.sounds.preprocessing import WaveformPreprocessing
from thaw.kinds.sounds.variation import RATIO_DB, noisy, varied, viewed_wave

BATCH = stacked([framed(torch.from_numpy(wave), 16_000) for wave in (tone(0.6), tone(0.3, hertz=900))])


def test_speeds_change_the_length_and_the_pitch() -> None:
    wave = tone(1.0, hertz=1000)
    for view, hertz in (("faster", 1100), ("slower", 900)):
        changed = viewed_wave(wave, 16_000, view)
        spectrum = np.abs(np.fft.rfft(changed))
        assert abs(np.argmax(spectrum) * 16_000 / len(changed) - hertz) < 5
        assert abs(len(changed) - 16_000 * 1000 / hertz) <= 1
    assert viewed_wave(wave, 16_000, "identity") is wave


def test_silence_lies_around_the_sound() -> None:
    wave = tone(0.5)
    around = viewed_wave(wave, 16_000, "surrounded")
    assert around.dtype == np.float32 and len(around) == 24_000
    assert np.array_equal(around[6_400:14_400], wave)
    assert 0.001 < np.abs(around[:6_400]).mean() < 0.002 and 0.001 < np.abs(around[14_400:]).mean() < 0.002


def test_the_view_with_noise_is_the_same_from_the_reader_and_on_a_batch() -> None:
    reader = KIND.reader(WaveformPreprocessing(), Limits(), MemoryBound(2**20))
    for length in (0.6, 0.3):
        prepared = mapping_of(reader.prepare(written(tone(length), subtype="FLOAT")))
        read = framed(torch.from_numpy(viewed_wave(tone(length), 16_000, "noisy")), 16_000)
        changed = mapping_of(KIND.viewed(stacked([prepared]), "noisy"))
        torch.testing.assert_close(changed["samples"][0], read["samples"], atol=1e-6, rtol=0)
    assert KIND.viewed(BATCH, "identity") is BATCH


def test_noise_has_its_ratio_and_leaves_padding_alone() -> None:
    added = noisy(BATCH)["samples"] - mapping_of(BATCH)["samples"]
    mask = mapping_of(BATCH)["mask"]
    assert added[~mask].abs().max() == 0
    for row in range(2):
        power = mapping_of(BATCH)["samples"][row][mask[row]].square().mean()
        ratio = 10 * torch.log10(power / added[row][mask[row]].square().mean())
        assert abs(ratio - RATIO_DB) < 0.5


def test_random_changes_are_drawn_for_each_sound_and_repeat_with_their_seed() -> None:
    drawn = [varied(BATCH, torch.Generator().manual_seed(seed))["samples"] for seed in (1, 1, 2)]
    assert drawn[0].equal(drawn[1]) and not drawn[0].equal(drawn[2])
    mask = mapping_of(BATCH)["mask"]
    for samples in drawn:
        assert samples[~mask].abs().max() == 0
        assert torch.isfinite(samples).all()
    same = stacked([framed(torch.from_numpy(tone()), 16_000)] * 2)
    one, other = varied(same)["samples"]
    assert not one.equal(other)


def test_scratch_normalises_after_the_changes() -> None:
    scratch = KIND.scratch(WaveformPreprocessing(level="unit"))
    begun = scratch.begin(BATCH)
    for batch in (scratch.plain(begun), scratch.changed(begun, torch.Generator().manual_seed(0))):
        given = mapping_of(batch)
        for row in range(2):
            assert abs(given["samples"][row][given["mask"][row]].std() - 1) < 0.01
