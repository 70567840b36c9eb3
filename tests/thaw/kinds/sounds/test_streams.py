"""Sound as it comes: the same samples from a file, from a WAV in a pipe and from plain samples, however the pipe delivers them."""

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from thaw.foundation.errors import BadExample, BadParameters
from thaw.kinds.kind import Limits
from thaw.kinds.sounds.decoding import decoded
from thaw.kinds.sounds.streams import of_file, of_microphone, of_pipe

RATE = 16_000


def wave(samples: int, channels: int = 1) -> np.ndarray:
    return (0.2 * np.random.default_rng(0).standard_normal((samples, channels))).astype(np.float32)


def wav(samples: np.ndarray, rate: int, subtype: str) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, rate, format="WAV", subtype=subtype)
    return out.getvalue()


class Slow:
    """A pipe that delivers so many bytes at a time."""

    def __init__(self, content: bytes, size: int) -> None:
        self._stream, self._size = io.BytesIO(content), size

    def read1(self, size: int = -1, /) -> bytes:
        return self._stream.read(min(size, self._size))


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 3000),
    st.sampled_from(["PCM_16", "PCM_32", "FLOAT"]),
    st.integers(1, 2),
    st.sampled_from([8_000, RATE]),
)
def test_a_wav_in_a_pipe_is_the_wav_as_a_file(size: int, subtype: str, channels: int, rate: int) -> None:
    content = wav(wave(3000, channels), rate, subtype)
    heard = np.concatenate(list(of_pipe(Slow(content, size), RATE, raw_rate=1)))
    np.testing.assert_allclose(heard, decoded(content, RATE, Limits()), atol=1e-6)


@given(st.integers(1, 999))
def test_plain_samples_are_heard_and_half_a_sample_at_the_end_is_not(size: int) -> None:
    samples = np.array([0, 16384, -32768, 1], "<i2")
    heard = np.concatenate(list(of_pipe(Slow(samples.tobytes() + b"\1", size), RATE, raw_rate=RATE)))
    assert heard.tolist() == [0, 0.5, -1, 2**-15]


def test_a_pipe_needs_no_true_length(tmp_path: Path) -> None:
    content = bytearray(wav(wave(400), RATE, "PCM_16"))
    place = content.index(b"data")
    content[place + 4 : place + 8] = b"\xff\xff\xff\xff"
    assert sum(map(len, of_pipe(io.BytesIO(bytes(content)), RATE, raw_rate=1))) == 400


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (wav(wave(10), RATE, "PCM_16")[:30], "ends in its header"),
        (wav(wave(10), RATE, "PCM_24"), "not of 16 or 32 bits"),
        (wav(wave(10), RATE, "ULAW"), "not of 16 or 32 bits"),
    ],
)
def test_a_wav_that_cannot_be_heard_says_why(content: bytes, reason: str) -> None:
    with pytest.raises(BadExample, match=reason):
        list(of_pipe(io.BytesIO(content), RATE, raw_rate=1))


def test_a_file_is_read_in_blocks_and_a_bad_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, wave(600_000), 48_000)
    pieces = list(of_file(path, RATE))
    assert len(pieces) > 2
    np.testing.assert_allclose(np.concatenate(pieces), decoded(path.read_bytes(), RATE, Limits()), atol=1e-6)
    (tmp_path / "b.wav").write_text("no sound")
    with pytest.raises(BadExample, match=r"b\.wav cannot be read as sound"):
        list(of_file(tmp_path / "b.wav", RATE))


def test_a_microphone_is_heard_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    class Input:
        def __init__(self, *, samplerate: int, channels: int, dtype: str, blocksize: int, callback: object) -> None:
            assert (samplerate, channels, dtype, blocksize) == (RATE, 1, "float32", 1280)
            for level in (0.25, 0.5):
                callback(np.full((blocksize, 1), level, np.float32), blocksize, None, None)  # type: ignore[operator]

        def __enter__(self) -> None: ...

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setitem(sys.modules, "sounddevice", SimpleNamespace(InputStream=Input, PortAudioError=OSError))
    heard = of_microphone(RATE)
    assert [next(heard)[0], next(heard)[0]] == [0.25, 0.5]


def test_without_sounddevice_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(BadParameters, match="pip install sounddevice"):
        next(of_microphone(RATE))
