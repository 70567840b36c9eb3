"""Words that sound like a trigger, spoken by many voices of espeak-ng: sound without the trigger that recordings may lack."""

from collections.abc import Sequence

import numpy as np

from thaw.kinds.sounds.decoding import Wave, resampled
from thaw.pretraining.sounds.espeak import Voice, espeak

VOICES = 16
"""The number of voices of each word."""
_LANGUAGES = ("en-us", "en", "en-gb-scotland", "en-029")
_VARIANTS = ("", "+m1", "+m3", "+m5", "+m7", "+f1", "+f2", "+f3", "+f4")
_SPEEDS, _PITCHES = (120, 230), (20, 80)


def spoken_words(words: Sequence[str], rate: int, seed: int = 0) -> list[Wave]:
    """`VOICES` waves of each word, float32 [T] from -1 to 1 at a rate in samples a second; accents, speeds and pitches are drawn at random.

    Raises:
        BadParameters: espeak-ng is not installed.
    """
    draw, waves = np.random.default_rng(seed), list[Wave]()
    for word in words:
        for number in range(VOICES):
            name = _LANGUAGES[number % len(_LANGUAGES)] + _VARIANTS[draw.integers(len(_VARIANTS))]
            voice = Voice(name, int(draw.integers(*_SPEEDS)), int(draw.integers(*_PITCHES)))
            wave = espeak().speak(word, voice).wave.astype(np.float32) / np.float32(2**15)
            waves.append(np.concatenate(list(resampled([wave], espeak().rate, rate))))
    return waves
