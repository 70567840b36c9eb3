"""Examples of any kind that are given as values; each becomes the bytes of a file, so that all are read in one way."""

import base64
from pathlib import Path

from thaw.foundation.errors import BadExample


def bytes_of(value: object) -> bytes | None:
    """The bytes of an example that is given as bytes, as a path, or as a `data:` URL; None: it is given in another form.

    Raises:
        BadExample: the value is a `data:` URL that is not base64.
        OSError: the file cannot be read.
    """
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, str) and value.startswith("data:"):
        try:
            return base64.b64decode(value.partition(",")[2], validate=True)
        except ValueError as error:
            raise BadExample(f"is a `data:` URL that is not base64 ({error})") from error
    if isinstance(value, str | Path):
        return Path(value).read_bytes()
    return None


def data_url(content: bytes, media_type: str) -> str:
    """A file as a `data:` URL."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"
