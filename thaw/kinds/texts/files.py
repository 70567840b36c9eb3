"""Texts as bytes: UTF-8, and the reasons why bytes are no text."""

from thaw.foundation.errors import BadExample
from thaw.foundation.files.content import HEAD_BYTES, pointer_in
from thaw.foundation.files.encodings import UTF8, decoded
from thaw.kinds.kind import Limits, Stored

FORMAT = "UTF-8"
_BYTES = 4
"""The most bytes of a character in UTF-8."""


def inspect(content: bytes, limits: Limits) -> Stored:
    """The format of a text, and its shape: (characters,).

    Raises:
        BadExample: see `text_in`.
    """
    return Stored(FORMAT, (len(text_in(content, limits)),))


def refuse_size(nbytes: int, limits: Limits) -> None:
    """Refuse a text by its bytes alone.

    Raises:
        BadExample: no text within the limits has that many bytes.
    """
    if nbytes > _BYTES * limits.max_characters:
        raise BadExample(
            f"has {nbytes / 1e6:.1f} MB, more than any text of the {limits.max_characters:,} characters that `dataset.max_characters` allows"
        )


def text_in(content: bytes, limits: Limits | None = None) -> str:
    """The text of UTF-8 bytes. limits: None: it was checked before.

    Raises:
        BadExample: the bytes are no UTF-8, hold NUL bytes or nothing but spaces, or more characters than the limits allow.
    """
    if not content:
        raise BadExample("is empty")
    if (pointer := pointer_in(content[:HEAD_BYTES])) is not None:
        raise BadExample(pointer)
    try:
        text = decoded(content, UTF8)
    except UnicodeError as error:
        raise BadExample(str(error)) from error
    if "\0" in text:
        raise BadExample("holds NUL bytes, so it is no text")
    if not text or text.isspace():
        raise BadExample("holds nothing but spaces")
    if limits is not None and len(text) > limits.max_characters:
        raise BadExample(f"has {len(text):,} characters, and `dataset.max_characters` allows {limits.max_characters:,}")
    return text
