"""Text files of any encoding."""

from io import BytesIO

import pytest

from thaw.foundation.files.encodings import decoded, decoding, recognised


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_utf_8_with_and_without_its_mark(mark: str) -> None:
    assert decoded(f"{mark}né\r\n".encode()) == "né\r\n"


def test_another_encoding_is_named_and_not_guessed() -> None:
    content = "Žluťoučký kůň úpěl ďábelské ódy. ".encode("cp1250") * 5
    assert recognised(content) is not None
    with pytest.raises(
        UnicodeError,
        match=r"is not UTF-8 text \(byte 0\), and it looks like .*; save it as UTF-8, or set dataset\.encoding=",
    ):
        decoded(content)
    assert decoded(content, "cp1250").startswith("Žluťoučký")


def test_a_wrong_encoding_is_told() -> None:
    with pytest.raises(UnicodeError, match="is not ascii text"):
        decoded("é".encode(), "ascii")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252", "utf-8-sig"])
def test_a_stream_is_decoded_as_it_is_read_with_its_line_ends(encoding: str) -> None:
    with decoding(BytesIO("né\r\nb\rc\n".encode(encoding)), encoding) as text:
        assert list(text) == ["né\r\n", "b\r", "c\n"]


def test_a_wrong_byte_far_behind_is_placed() -> None:
    content = b"plain words\n" * 50_000 + b"\xe9\n"
    with (
        pytest.raises(UnicodeError, match=rf"is not UTF-8 text \(byte {len(content) - 2}\)"),
        decoding(BytesIO(content)) as text,
    ):
        for _ in text:
            pass
