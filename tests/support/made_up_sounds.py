"""Made-up sounds: tones, written by libsndfile in every format, and as class folders."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

RATE = 16_000


def tone(seconds: float = 0.5, *, hertz: float = 440.0, rate: int = RATE, level: float = 0.5, seed: int = 0) -> Any:
    """float32 [T]: a tone with a little noise."""
    times = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(seed).standard_normal(len(times))
    return (level * (np.sin(2 * np.pi * hertz * times) + 0.02 * noise)).astype(np.float32)


def written(samples: Any, rate: int = RATE, form: str = "WAV", subtype: str | None = None) -> bytes:
    """Samples [T] or [T, channels] as a file."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=form, subtype=subtype)
    return buffer.getvalue()


def tones_in_classes(folder: Path, count: int = 12) -> Path:
    """Low, middle and high tones of different lengths and loudness in class folders."""
    chance = np.random.default_rng(0)
    for name, hertz in (("low", 220.0), ("middle", 700.0), ("high", 2200.0)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            made = tone(
                chance.uniform(0.3, 0.8),
                hertz=hertz * chance.uniform(0.8, 1.25),
                level=chance.uniform(0.1, 0.7),
                seed=number,
            )
            (folder / name / f"{number:02}.wav").write_bytes(written(made))
    return folder
