"""The decoding of text files: UTF-8, or the encoding that the user names; another one is recognised, and named in the error."""

import codecs
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, TextIO, cast

UTF8 = "utf-8"
BOM = "\ufeff"
_MARKS = {codecs.BOM_UTF8: UTF8, codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_SAMPLE = 100_000


def decoded(content: bytes, encoding: str | None = None) -> str:
    """The text of a file, without a byte-order mark. encoding: None: UTF-8.

    Raises:
        UnicodeError: the bytes are of another encoding; the message is the end of a sentence, and says what to set.
    """
    name = encoding or UTF8
    try:
        text = content.decode(name)
    except UnicodeDecodeError as error:
        raise _other(name, error.start, content) from error
    return text.removeprefix(BOM)


@contextmanager
def decoding(stream: BinaryIO, encoding: str | None = None, *, newline: str = "") -> Iterator[TextIO]:
    """A context with the text of a stream, decoded as it is read, without a byte-order mark. newline: see `io.TextIOWrapper`; "": the line ends stay.

    Raises:
        UnicodeError: see `decoded`; it comes where the text is read.
    """
    name = encoding or UTF8
    text = io.TextIOWrapper(cast("io.BufferedReader", stream), name, newline=newline)
    try:
        if text.read(1) != BOM:
            text.seek(0)
        yield text
    except UnicodeDecodeError as error:
        place = stream.tell() - len(error.object) + error.start
        stream.seek(0)
        raise _other(name, place, stream.read(_SAMPLE)) from error


def _other(name: str, place: int, head: bytes) -> UnicodeError:
    """The error of bytes in another encoding than the named one. place: of the first wrong byte. head: the first bytes."""
    hint = f"it looks like {seen}" if (seen := recognised(head)) else "its encoding was not recognised"
    return UnicodeError(
        f"is not {shown(name)} text (byte {place}), and {hint}; save it as UTF-8, or set dataset.encoding"
        f"{f'={seen}' if seen else ''}"
    )


def recognised(content: bytes) -> str | None:
    """The probable encoding of a text that is not UTF-8, by Python's name; None: nothing is probable."""
    from charset_normalizer import from_bytes

    for mark, name in _MARKS.items():
        if content.startswith(mark):
            return name
    best = from_bytes(content[:_SAMPLE]).best()
    return None if best is None else best.encoding


def shown(encoding: str) -> str:
    """An encoding's name in sentences."""
    return "UTF-8" if codecs.lookup(encoding).name == UTF8 else encoding
