"""Sounds that are given as values, and made-up sounds."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from thaw.foundation.errors import BadExample
from thaw.kinds.sounds.waves import sixteen_bits, wav_of
from thaw.kinds.values import bytes_of, data_url

_RATE = 8_000
_SAMPLES, _RATES = ("samples", "array"), ("rate", "sampling_rate")
"""Keys of a mapping; the second ones are those of the package datasets."""


def from_value(value: object) -> bytes:
    """The bytes of a sound that is given as bytes, as a path, as a `data:` URL, or as samples with their rate: a pair, or a mapping such as
    `{"samples": [0.0, 0.1], "rate": 16000}`.

    Raises:
        BadExample: the value is none of these.
        OSError: the file cannot be read.
    """
    if (given := _samples_and_rate(value)) is not None:
        return _written(*given)
    content = bytes_of(value)
    if content is None:
        raise BadExample(
            f"is given as {type(value).__name__}; bytes, `data:` URLs, paths, and samples with their rate are taken, such as (samples, 16000)"
        )
    return content


def _samples_and_rate(value: object) -> tuple[object, object] | None:
    if isinstance(value, Mapping):
        samples = next((value[key] for key in _SAMPLES if key in value), None)
        rate = next((value[key] for key in _RATES if key in value), None)
        return samples, rate
    if isinstance(value, tuple | list) and len(value) == 2 and not isinstance(value[0], int | float):
        return value[0], value[1]
    return None


def _written(given: object, rate: object) -> bytes:
    """A WAV file of samples [T] or [T, channels]: floats from -1 to 1, or int16."""
    try:
        samples = np.asarray(given)
        whole = int(rate)  # type: ignore[call-overload]
    except (TypeError, ValueError) as error:
        raise BadExample("is given without samples or without their rate in samples a second") from error
    if samples.ndim not in (1, 2) or samples.size == 0 or samples.dtype.kind not in "fi" or not 0 < whole < 2**31:
        raise BadExample(
            f"is an array of {samples.dtype}, shape {samples.shape}, at a rate of {rate}; [T] or [T, channels] at a rate above 0 is taken"
        )
    if samples.dtype.kind == "i" and samples.dtype != np.int16:
        raise BadExample(f"is an array of {samples.dtype}; floats from -1 to 1 and int16 are taken")
    return wav_of(samples if samples.dtype == np.int16 else samples.astype(np.float32), whole)


def made_up(count: int) -> list[bytes]:
    """WAV files at 16 kHz, of one to three seconds of noise with tones in it."""
    chance = np.random.default_rng(0)
    return [_made_up(chance, 16_000 + number % 9 * 4_000, 200.0 + 100 * (number % 30)) for number in range(count)]


def _made_up(chance: np.random.Generator, length: int, pitch: float) -> bytes:
    tone = 0.3 * np.sin(2 * np.pi * pitch * np.arange(length) / 16_000)
    return wav_of(sixteen_bits((tone + 0.05 * chance.standard_normal(length)).astype(np.float32)), 16_000)


def _tiny() -> str:
    wave: Any = 0.5 * np.sin(2 * np.pi * 400 * np.arange(_RATE // 10) / _RATE)
    return data_url(wav_of(sixteen_bits(wave.astype(np.float32)), _RATE), "audio/wav")


TINY = _tiny()
"""A tone of a tenth of a second."""
