"""The reading of ingested examples; their bytes must have the manifest's digests."""

from collections.abc import Sequence
from typing import TypeVar

from thaw.foundation.errors import BadSource
from thaw.foundation.files.atomic import digest_bytes
from thaw.kinds.kind import Readable

_Item = TypeVar("_Item")


def spread(items: Sequence[_Item], count: int) -> Sequence[_Item]:
    """The middles of `count` equal stretches of the items, so that all classes are represented; all items if there are fewer."""
    number = min(count, len(items))
    return [items[(2 * place + 1) * len(items) // (2 * number)] for place in range(number)]


def read_ingested(digest: bytes, path: Readable) -> bytes:
    """The bytes of an example, after a check of their digest.

    Raises:
        BadSource: the example is gone, or has changed since the ingestion.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadSource(
            f"{path} was ingested but cannot be read now ({error.strerror}); run `thaw run` to ingest again"
        ) from error
    if digest_bytes(content) != digest:
        raise BadSource(f"{path} changed since it was ingested; run `thaw run` to ingest again")
    return content
