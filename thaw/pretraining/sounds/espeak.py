"""Speech of espeak-ng with the phones it spoke, through the C interface `speak_lib.h` of its shared library."""

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thaw.foundation.errors import BadParameters
from thaw.pretraining.sounds.phones import numbers_of

_SYNCHRONOUS, _PHONE_EVENTS, _IPA, _NO_EXIT = 2, 1, 2, 0x8000
_RATE, _PITCH, _RANGE = 1, 3, 4
_UTF8 = 1
_END, _PHONE = 0, 7
_POSITION_CHARACTER = 1


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True)
class Voice:
    """A voice of espeak-ng. name: a language and a variant, as `en-us+f3`. speed: words a minute. pitch, pitch_range: 0 to 100."""

    name: str
    speed: int = 175
    pitch: int = 50
    pitch_range: int = 50


@dataclass(frozen=True)
class Spoken:
    """An utterance. wave: int16 [N]. phones: names in IPA, each with the sample where it begins."""

    wave: NDArray[np.int16]
    phones: tuple[tuple[str, int], ...]


class Espeak:
    """The synthesizer; the library has one state a process, so there is one object, which `espeak` gives."""

    def __init__(self) -> None:
        try:
            import espeakng_loader
        except ImportError as error:
            raise BadParameters("synthetic speech needs espeak-ng: pip install 'thaw[sounds-pretraining]'") from error
        loader: Any = espeakng_loader  # it has no types
        self._library = ctypes.CDLL(loader.get_library_path())
        self.rate: int = self._library.espeak_Initialize(
            _SYNCHRONOUS, 0, loader.get_data_path().encode(), _PHONE_EVENTS | _IPA | _NO_EXIT
        )
        if self.rate <= 0:
            raise BadParameters("espeak-ng did not start; install espeakng-loader again")
        # It would begin with the time of day.
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(1))
        self._waves: list[NDArray[np.int16]] = []
        self._phones: list[tuple[str, int]] = []
        # ctypes keeps no reference to it.
        self._callback = _Callback(self._received)
        self._library.espeak_SetSynthCallback(self._callback)
        self._voice = ""

    def speak(self, text: str, voice: Voice) -> Spoken:
        """Speak a text.

        Raises:
            BadParameters: espeak-ng has no such voice, or refuses the text.
        """
        self._choose(voice)
        self._waves, self._phones = [], []
        given = text.encode()
        if self._library.espeak_Synth(given, len(given) + 1, 0, _POSITION_CHARACTER, 0, _UTF8, None, None):
            raise BadParameters(f"espeak-ng refuses to speak {text!r}")
        wave = np.concatenate(self._waves) if self._waves else np.zeros(0, np.int16)
        return Spoken(wave, tuple(self._phones))

    def _choose(self, voice: Voice) -> None:
        if voice.name != self._voice:
            if self._library.espeak_SetVoiceByName(voice.name.encode()):
                raise BadParameters(f"espeak-ng has no voice {voice.name}")
            self._voice = voice.name
        wanted: Mapping[int, int] = {_RATE: voice.speed, _PITCH: voice.pitch, _RANGE: voice.pitch_range}
        for number, value in wanted.items():
            self._library.espeak_SetParameter(number, value, 0)

    def _received(
        self, samples: "ctypes._Pointer[ctypes.c_short]", count: int, events: "ctypes._Pointer[_Event]"
    ) -> int:
        if count and samples:
            self._waves.append(np.ctypeslib.as_array(samples, (count,)).copy())
        place = 0
        while events[place].type != _END:
            event = events[place]
            if event.type == _PHONE:
                self._phones.append((event.id.string.decode("utf-8", "replace"), event.sample))
            place += 1
        return 0


@cache
def espeak() -> Espeak:
    """The synthesizer of this process.

    Raises:
        BadParameters: espeak-ng is not installed, or does not start.
    """
    return Espeak()


def phones_of_word(word: str) -> list[int]:
    """The phones of a word in American English, by their numbers."""
    return [number for name, _ in espeak().speak(word, Voice("en-us")).phones for number in numbers_of(name)]
