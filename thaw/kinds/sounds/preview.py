"""The preview of a sound: a drawing of its spectrum over time, and its beginning as a WAV file."""

import io

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from thaw.kinds.kind import Limits, Preview
from thaw.kinds.sounds.decoding import Wave, decoded, resampled
from thaw.kinds.sounds.framed import SAMPLES, framed
from thaw.kinds.sounds.mels import REACH, log_mels
from thaw.kinds.sounds.waves import sixteen_bits, wav_of

RATE, SMALL_RATE = 16_000, 8_000
SECONDS, SMALL_SECONDS = 10, 3
"""The longest previews; only the beginning of a longer sound is heard."""
WIDTH, HEIGHT = 320, 120
SMALL_WIDTH, SMALL_HEIGHT = 128, 64
"""Width and height of a drawing in dots, which shows the whole sound."""
_BANDS = 60
_AT_ONCE = 2**12
"""Frames whose spectra are computed at once."""
_RANGE = 9.2
"""The range of logarithms that is drawn, 40 dB below the loudest."""
_COLOURS = ((0, 0, 4), (59, 15, 112), (140, 41, 129), (222, 73, 104), (254, 159, 109), (252, 253, 191))
"""From the faintest to the loudest: six of the colours of matplotlib's map `magma`, which stays readable without colour."""


def preview(content: bytes, limits: Limits, *, small: bool) -> Preview:
    """A WAV file at 16 kHz of at most 10 seconds, or for a small preview at 8 kHz of at most 3, with a drawing of the whole sound.

    Raises:
        BadExample: see `thaw.kinds.sounds.files.inspect`.
    """
    wave = decoded(content, RATE, limits)
    drawing = drawn(wave, SMALL_WIDTH if small else WIDTH, SMALL_HEIGHT if small else HEIGHT)
    if small:
        begun = wave[: SMALL_SECONDS * RATE]
        played = wav_of(sixteen_bits(np.concatenate(list(resampled([begun], RATE, SMALL_RATE)))), SMALL_RATE)
    else:
        played = wav_of(sixteen_bits(wave[: SECONDS * RATE]), RATE)
    return Preview("audio/wav", played, drawing)


def drawn(wave: Wave, width: int, height: int) -> bytes:
    """A PNG file: time to the right, mel bands upwards, loudness by colour; wave: float32 [T] of the rate `RATE`."""
    columns = spectrum(wave, width)
    levels = np.clip((columns - columns.max()) / _RANGE + 1, 0, 1)
    grey = np.rint(255 * levels.T[::-1]).astype(np.uint8)
    image = Image.fromarray(grey, "L").resize((width, height), Image.Resampling.BILINEAR)
    image.putpalette(_palette())
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def spectrum(wave: Wave, most: int) -> NDArray[np.float32]:
    """The loudest of each mel band in at most `most` pieces of equal length: float32 [pieces, bands]; computed in pieces, so that memory is bounded."""
    frames = framed(torch.from_numpy(wave), RATE)[SAMPLES]
    mels = [
        log_mels(frames[begin : begin + _AT_ONCE + REACH][None], RATE, _BANDS)[0, :_AT_ONCE]
        for begin in range(0, len(frames), _AT_ONCE)
    ]
    begins = np.linspace(0, len(frames), min(most, len(frames)), endpoint=False).astype(int)
    return np.maximum.reduceat(torch.cat(mels).numpy(), begins)


def _palette() -> list[int]:
    places = np.linspace(0, len(_COLOURS) - 1, 256)
    channels = [np.interp(places, np.arange(len(_COLOURS)), [colour[part] for colour in _COLOURS]) for part in range(3)]
    return np.rint(np.stack(channels, 1)).astype(int).flatten().tolist()
