"""Pieces of longer recordings, as files of their own."""

from pathlib import Path

from thaw.kinds.sounds.files import words_of
from thaw.kinds.sounds.libraries import soundfile
from thaw.kinds.sounds.waves import wav_of

_FINE = ("PCM_24", "PCM_32", "FLOAT", "DOUBLE")
"""Codings with more than 16 bits."""


def piece(file: Path, start_s: float, end_s: float) -> bytes:
    """A piece of a recording as a WAV file, with the recording's rate, channels and bits; only the piece is read. It ends with the recording, at the latest.

    Raises:
        OSError: the file cannot be read, or is no sound.
    """
    library = soundfile()
    try:
        with file.open("rb") as stream, library.SoundFile(stream) as sound:
            start, end = (min(sound.frames, round(second * sound.samplerate)) for second in (start_s, end_s))
            sound.seek(start)
            samples = sound.read(end - start, dtype="float32" if sound.subtype in _FINE else "int16")
            return wav_of(samples, sound.samplerate)
    except library.LibsndfileError as error:
        raise OSError(0, f"no piece of it can be read{words_of(error)}") from error
