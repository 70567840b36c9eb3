"""What is a sound, and why other bytes are none."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_sounds import RATE, tone, written

from thaw.foundation.errors import BadExample
from thaw.kinds.kind import Limits
from thaw.kinds.sounds.files import CLIPPED, QUIET
from thaw.kinds.sounds.kind import KIND

LIMITS = Limits(max_seconds=2)
WAV = written(tone())


def without_length(flac: bytes) -> bytes:
    """The file with the length 0 in its header, which means that it is unknown."""
    return flac[:21] + bytes([flac[21] & 0xF0, 0, 0, 0, 0]) + flac[26:]


@pytest.mark.parametrize(
    ("form", "subtype", "shown"),
    [
        ("WAV", "PCM_16", "WAV"), ("WAV", "PCM_24", "WAV"), ("WAV", "FLOAT", "WAV"), ("WAV", "ULAW", "WAV"),
        ("WAVEX", "PCM_16", "WAV"), ("RF64", "PCM_16", "RF64"), ("AIFF", "PCM_16", "AIFF"), ("AU", "PCM_16", "AU"),
        ("FLAC", "PCM_16", "FLAC"), ("OGG", "VORBIS", "OGG"), ("OGG", "OPUS", "OGG"), ("MP3", "MPEG_LAYER_III", "MP3"),
    ],
)  # fmt: skip
def test_every_usual_format_is_read(form: str, subtype: str, shown: str) -> None:
    stereo = np.stack([tone(), tone(hertz=300)], 1)
    stored = KIND.inspect(written(stereo, 48_000, form, subtype), LIMITS)
    assert (stored.format, stored.shape, stored.rate) == (shown, (8000, 2), 48_000)
    assert stored.remarks == ()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (written(np.zeros(0)), "has no samples"),
        (written(np.zeros(8000)), "is silent"),
        (written(np.random.default_rng(0).integers(-1, 2, 8000).astype(np.int16)), "is silent"),
        (written(np.full(8000, 0.4)), "is silent"),
        (written(np.stack([tone(), -tone()], 1)), "is silent"),
        (written(np.where(np.arange(8000) == 4000, np.nan, tone()), subtype="FLOAT"), "no numbers"),
        (written(np.where(np.arange(8000) == 4000, np.inf, tone()), subtype="FLOAT"), "no numbers"),
        (written(tone() * 20_000, subtype="FLOAT"), "samples go from -1 to 1; scale them"),
        (written(tone(2.5)), r"is 2\.5 seconds long, and `dataset.max_seconds` allows 2; cut it"),
        (WAV[:1000], "is cut off: 15,044 bytes of the samples that its header names are missing"),
        (written(tone(), form="AIFF")[:1000], "is cut off"),
        (written(tone(), form="RF64")[:1000], "is cut off"),
        (written(tone(), form="FLAC")[:3000], "is truncated or damaged"),
        (written(tone(), form="OGG")[:1500], "is truncated or damaged"),
        (written(tone(), form="MP3")[:1000], "is cut off: .* of 8,000 samples are there"),
        (b"\0\0\0\x20ftypM4A " + b"\0" * 400, "is an MP4 or M4A file, mostly with AAC, .* convert it, such as by `ffmpeg"),
        (b"\xff\xf1\x50\x80" + b"\0" * 400, "is an AAC file"),
        (b"\x1aE\xdf\xa3" + b"\0" * 400, "is a WebM or Matroska file"),
        (without_length(written(tone(), form="FLAC")), "does not state its length, as FLAC .*; convert it"),
        (b"MThd" + b"\0" * 400, "is a MIDI file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n", "is a Git LFS pointer"),
        (b"<!DOCTYPE html><p>404", "is a web page"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 400, "is no sound, or of a format that libsndfile does not read"),
        (b"a sentence", "is no sound"),
        (written(tone(), 8000, "MAT5", "FLOAT"), "is a file of the format MAT5, which is not read"),
        (written(tone(0.1), 500), "has a rate of 500 samples a second"),
    ],
)  # fmt: skip
def test_what_is_no_sound_says_why(content: bytes, reason: str) -> None:
    with pytest.raises(BadExample, match=reason) as raised:
        KIND.inspect(content, LIMITS)
    assert "0x" not in str(raised.value) and "BytesIO" not in str(raised.value)


def test_damaged_files_of_a_published_set_are_refused(real_data: Path) -> None:
    damaged = sorted((real_data / "sounds/corrupt").glob("*.flac"))
    assert len(damaged) == 3
    for path in damaged:
        with pytest.raises(BadExample, match="is truncated or damaged"):
            KIND.inspect(path.read_bytes(), Limits())


def test_a_wav_whose_writer_did_not_know_its_end_is_read() -> None:
    place = WAV.index(b"data") + 4
    for unknown in (0xFFFF_FFFF, 0x7FFF_FFFF):
        piped = WAV[:place] + struct.pack("<I", unknown) + WAV[place + 4 :]
        assert KIND.inspect(piped, LIMITS).shape == (8000, 1)


def test_remarks_on_level() -> None:
    assert KIND.inspect(written(np.clip(4 * tone(), -1, 1)), LIMITS).remarks == (CLIPPED,)
    assert KIND.inspect(written(tone(level=0.004)), LIMITS).remarks == (QUIET,)


def test_a_set_is_told_of_its_rates_and_levels() -> None:
    files = {
        "a.wav": written(tone(rate=8000), 8000),
        "b.wav": WAV,
        "c.wav": written(np.clip(4 * tone(), -1, 1)),
        "d.wav": written(tone(level=0.004)),
    }
    said = KIND.decoding_of_set({path: KIND.inspect(content, LIMITS) for path, content in files.items()})
    assert said.setting is None
    (note,) = said.notes
    assert note.startswith("Sounds of fewer than 16,000 samples a second: 1, such as `a.wav` with 8,000.")
    clipped, quiet = said.warnings
    assert "clipped" in clipped and "1, such as `c.wav`" in clipped
    assert "very quiet" in quiet and "1, such as `d.wav`" in quiet
    assert KIND.decoding_of_set({"b.wav": KIND.inspect(WAV, LIMITS)}).warnings == ()


def test_sizes_and_endings() -> None:
    with pytest.raises(
        BadExample, match=r"has 1\.0 GB, more than any sound of the 2 seconds that `dataset.max_seconds` allows"
    ):
        KIND.refuse_size(10**9, LIMITS)
    KIND.refuse_size(10**7, LIMITS)
    assert (
        KIND.fits_ending("FLAC", ".FLAC") and KIND.fits_ending("OGG", ".opus") and not KIND.fits_ending("WAV", ".mp3")
    )


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", WAV[:44], b"fLaC", b"OggS", b"ID3\x04", b"FORM\0\0\0\xffAIFF", b"RF64"]),
)
def test_no_bytes_raise_anything_else(rest: bytes, start: bytes) -> None:
    try:
        stored = KIND.inspect(start + rest, LIMITS)
    except BadExample as error:
        assert str(error)
    else:
        assert stored.shape[0] <= 2 * (stored.rate or RATE)
