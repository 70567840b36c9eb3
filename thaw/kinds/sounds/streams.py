"""Sound as it comes: from a file, from a pipe, from a microphone; one channel at a network's rate, in blocks as they are there."""

import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from queue import Queue
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from thaw.foundation.errors import BadExample, BadParameters
from thaw.kinds.sounds.decoding import Wave, resampled
from thaw.kinds.sounds.files import blocks, words_of
from thaw.kinds.sounds.libraries import soundfile

BLOCK_MS = 80
_BYTES = 2**16
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_DTYPES = {(_PCM, 16): "<i2", (_PCM, 32): "<i4", (_FLOAT, 32): "<f4"}


class Pipe(Protocol):
    """Bytes of which some may be there, and more come."""

    def read1(self, size: int = ..., /) -> bytes: ...


def of_file(path: Path, rate: int) -> Iterator[Wave]:
    """The blocks of a file, float32 [T] from -1 to 1; an hour takes no more memory than a minute.

    Raises:
        BadExample: the file cannot be read, is no sound, or is damaged.
    """
    library = soundfile()
    try:
        with path.open("rb") as stream, library.SoundFile(stream) as sound:
            yield from resampled((block.mean(1) for block in blocks(sound)), sound.samplerate, rate)
    except BadExample as error:
        raise BadExample(f"{path} {error}") from error
    except library.LibsndfileError as error:
        raise BadExample(f"{path} cannot be read as sound{words_of(error)}") from error
    except OSError as error:
        raise BadExample(f"{path} cannot be read ({error.strerror})") from error


def of_pipe(pipe: Pipe, rate: int, *, raw_rate: int) -> Iterator[Wave]:
    """The blocks of a WAV file, or of plain samples (one channel of 16 bits, little-endian, `raw_rate` a second), as they come, float32 [T].

    The length in a WAV file's header is not looked at: a program that writes to a pipe does not know it.

    Raises:
        BadExample: the samples of a WAV file have another form than 16 or 32 bits.
    """
    waiting = _Bytes(pipe)
    form = _Form(raw_rate, 1, "<i2")
    if waiting.peek(4) == b"RIFF":
        form = _wav_form(waiting)
    yield from resampled(_waves(waiting, form), form.rate, rate)


def of_microphone(rate: int) -> Iterator[Wave]:
    """The blocks of the microphone, without an end, float32 [T].

    Raises:
        BadParameters: the package sounddevice is not installed, or there is no microphone.
    """
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        raise BadParameters(
            f"a microphone is read by the package sounddevice, which is not there ({error}); run `pip install sounddevice`"
        ) from error
    heard: Queue[Wave] = Queue()

    def add(samples: NDArray[np.float32], *_: object) -> None:
        heard.put(samples[:, 0].copy())

    try:
        with sounddevice.InputStream(
            samplerate=rate, channels=1, dtype="float32", blocksize=rate * BLOCK_MS // 1000, callback=add
        ):
            while True:
                yield heard.get()
    except sounddevice.PortAudioError as error:
        raise BadParameters(
            f"the microphone cannot be read ({error}); pipe the sound to `thaw listen -` instead"
        ) from error


class _Form:
    """The form of samples in a stream of bytes."""

    def __init__(self, rate: int, channels: int, dtype: str) -> None:
        self.rate, self.channels, self.dtype = rate, channels, np.dtype(dtype)

    def wave(self, content: bytes) -> Wave:
        samples = np.frombuffer(content, self.dtype).reshape(-1, self.channels)
        scale = 1.0 if self.dtype.kind == "f" else 2.0 ** (8 * self.dtype.itemsize - 1)
        return np.asarray(samples.mean(1, dtype=np.float64) / scale, np.float32)


class _Bytes:
    """A pipe with a look ahead."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe, self._ahead = pipe, b""

    def peek(self, count: int) -> bytes:
        while len(self._ahead) < count and (more := self._pipe.read1(_BYTES)):
            self._ahead += more
        return self._ahead[:count]

    def take(self, count: int) -> bytes:
        """Raises BadExample: the pipe ends before."""
        found = self.peek(count)
        if len(found) < count:
            raise BadExample("standard input is a WAV file that ends in its header")
        self._ahead = self._ahead[count:]
        return found

    def there(self, unit: int) -> bytes:
        """What is there, in whole units; empty at the end."""
        self.peek(unit)
        whole = len(self._ahead) // unit * unit
        found, self._ahead = self._ahead[:whole], self._ahead[whole:]
        return found


def _waves(waiting: _Bytes, form: _Form) -> Iterator[Wave]:
    while content := waiting.there(form.dtype.itemsize * form.channels):
        yield form.wave(content)


def _wav_form(waiting: _Bytes) -> _Form:
    """Read the header up to the samples."""
    waiting.take(12)
    form: Any = None
    while (chunk := waiting.take(8))[:4] != b"data":
        (size,) = struct.unpack("<I", chunk[4:])
        content = waiting.take(size + size % 2)
        if chunk[:4] == b"fmt ":
            form = content
    with suppress(struct.error, TypeError, KeyError):
        tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", form)
        if tag == _EXTENSIBLE:
            (tag,) = struct.unpack_from("<H", form, 24)
        return _Form(rate, channels, _DTYPES[tag, bits])
    raise BadExample(
        "standard input is a WAV file whose samples are not of 16 or 32 bits; pipe it through `ffmpeg -i - -c:a pcm_s16le -f wav -`"
    )
