"""WAV files, written without a library, so that the same samples give the same bytes everywhere."""

import struct

import numpy as np
from numpy.typing import NDArray

_PCM, _FLOAT = 1, 3


def wav_of(samples: NDArray[np.int16] | NDArray[np.float32], rate: int) -> bytes:
    """A WAV file; samples: int16 or float32, [T] or [T, channels]; rate: samples a second."""
    little = np.ascontiguousarray(samples, samples.dtype.newbyteorder("<"))
    data, width = little.tobytes(), little.dtype.itemsize
    channels = 1 if little.ndim == 1 else little.shape[1]
    form = _PCM if little.dtype.kind == "i" else _FLOAT
    step = channels * width
    header = struct.pack("<HHIIHH", form, channels, rate, rate * step, step, 8 * width)
    chunks = b"".join(_chunk(name, content) for name, content in ((b"fmt ", header), (b"data", data)))
    return _chunk(b"RIFF", b"WAVE" + chunks)


def sixteen_bits(wave: NDArray[np.float32]) -> NDArray[np.int16]:
    """Samples from -1 to 1 as whole numbers of 16 bits; louder ones are clipped."""
    return np.clip(np.rint(wave * 2**15), -(2**15), 2**15 - 1).astype(np.int16)


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
