"""Pieces of recordings."""

from pathlib import Path

import numpy as np
import pytest
from made_up_sounds import tone, written

from thaw.kinds.kind import Cutting, Limits
from thaw.kinds.sounds.decoding import decoded
from thaw.kinds.sounds.kind import KIND


def test_a_piece_is_the_part_of_the_recording(tmp_path: Path) -> None:
    assert isinstance(KIND, Cutting)
    whole = np.stack([tone(2), tone(2, hertz=700)], 1)
    for form, subtype in (("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("WAV", "FLOAT"), ("FLAC", "PCM_24")):
        file = tmp_path / f"a.{form}"
        file.write_bytes(written(whole, 16_000, form, subtype))
        piece = KIND.piece(file, 0.5, 0.75)
        expected = decoded(file.read_bytes(), 16_000, Limits())[8000:12_000]
        np.testing.assert_array_equal(decoded(piece, 16_000, Limits()), expected)
        assert KIND.piece(file, 0.5, 0.75) == piece, "the same bytes, and so the same digest"
        assert KIND.inspect(KIND.piece(file, 1.5, 9), Limits()).shape == (8000, 2), "it ends with the recording"


@pytest.mark.parametrize(("form", "subtype"), [("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", None)])
def test_pieces_of_compressed_recordings_begin_where_they_should(
    form: str, subtype: str | None, tmp_path: Path
) -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(160_000)
    file = tmp_path / "a"
    file.write_bytes(written((0.5 * tone(10) + noise).astype(np.float32), 16_000, form, subtype))
    piece = decoded(KIND.piece(file, 7.123, 8.5), 16_000, Limits())
    whole = decoded(file.read_bytes(), 16_000, Limits())
    np.testing.assert_allclose(piece, whole[113_968:136_000], atol=1e-4)


def test_what_has_no_pieces_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        KIND.piece(tmp_path / "gone.wav", 0, 1)
    (tmp_path / "a.wav").write_bytes(b"nothing")
    with pytest.raises(OSError, match="no piece of it can be read"):
        KIND.piece(tmp_path / "a.wav", 0, 1)
