"""From a file to a wave at a network's rate."""

import tracemalloc

import numpy as np
import pytest
import soxr
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_sounds import tone, written

from thaw.foundation.errors import BadExample
from thaw.kinds.kind import Limits
from thaw.kinds.sounds.decoding import QUALITY, decoded, resampled
from thaw.kinds.sounds.probe import PROBE, probe_digest


def test_channels_are_averaged_and_the_rate_is_the_networks() -> None:
    left, right = tone(hertz=300), tone(hertz=500, seed=1)
    content = written(np.stack([left, right], 1), 48_000, "WAV", "FLOAT")
    own = decoded(content, 48_000, Limits())
    assert own.dtype == np.float32 and np.array_equal(own, np.stack([left, right], 1).mean(1))
    lower = decoded(content, 16_000, Limits())
    np.testing.assert_allclose(lower, soxr.resample(own, 48_000, 16_000, quality=QUALITY), atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 3000), min_size=1, max_size=8), st.sampled_from([8_000, 11_025, 44_100, 48_000]))
def test_the_pieces_do_not_matter(sizes: list[int], rate: int) -> None:
    wave = tone(sum(sizes) / rate, rate=rate)[: sum(sizes)]
    whole = np.concatenate(list(resampled([wave], rate, 16_000)))
    cut = np.concatenate(list(resampled(np.split(wave, np.cumsum(sizes)[:-1]), rate, 16_000)))
    np.testing.assert_array_equal(whole, cut)


def test_a_long_recording_takes_the_memory_of_its_result_alone() -> None:
    seconds = 120
    content = written(np.tile(tone(1, rate=44_100), seconds), 44_100, "FLAC")
    tracemalloc.start()
    wave = decoded(content, 16_000, Limits())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert abs(len(wave) - seconds * 16_000) <= 1
    assert peak < wave.nbytes + 12 * 2**20, "the samples at the file's own rate take 21 MB"


def test_silence_is_refused_in_decoding_too() -> None:
    with pytest.raises(BadExample, match="is silent"):
        decoded(written(np.zeros(8000)), 16_000, Limits())


def test_the_probe_notices_the_rate_and_nothing_else() -> None:
    assert probe_digest(16_000) == probe_digest(16_000) != probe_digest(8_000)
    assert torch.from_numpy(decoded(PROBE.read_bytes(), 22_050, Limits())).abs().max() > 0.3
