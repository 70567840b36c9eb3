"""Sorted tables of LevelDB, in which TensorFlow keeps the directory of a checkpoint.

Format: https://github.com/google/leveldb/blob/main/doc/table_format.md
"""

from collections.abc import Iterator

from thaw.backbones.converting.crc32c import masked_crc32c
from thaw.backbones.converting.protobuf import varint
from thaw.foundation.errors import BadWeights

MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")
_FOOTER = 48
_TRAILER = 5
"""Bytes behind a block: the kind of its compression, and a checksum."""


def is_table(data: bytes) -> bool:
    """Whether bytes end like a table."""
    return len(data) >= _FOOTER and data.endswith(MAGIC)


def table_entries(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The keys and values of a table, in order.

    Raises:
        BadWeights: the table is damaged, or compressed; the error does not name the file.
    """
    if not is_table(data):
        raise BadWeights("it is no table, or cut short")
    place = len(data) - _FOOTER
    for _ in range(2):  # the place and the size of the block of further information, which is not read
        _, place = varint(data, place)
    index, _ = _handle(data, place)
    for _, value in _block_entries(_block(data, *index)):
        yield from _block_entries(_block(data, *_handle(value, 0)[0]))


def _handle(data: bytes, place: int) -> tuple[tuple[int, int], int]:
    """The offset and the size of a block, and the place behind them."""
    offset, place = varint(data, place)
    size, place = varint(data, place)
    return (offset, size), place


def _block(data: bytes, offset: int, size: int) -> bytes:
    end = offset + size
    if end + _TRAILER > len(data):
        raise BadWeights("a block lies behind the end")
    stated = int.from_bytes(data[end + 1 : end + _TRAILER], "little")
    if masked_crc32c(data[offset : end + 1]) != stated:
        raise BadWeights("a block differs from its checksum")
    if data[end]:
        raise BadWeights("a block is compressed, which TensorFlow's own checkpoints are not")
    return data[offset:end]


def _block_entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 * (restarts + 1)
    place, key = 0, b""
    while place < end:
        shared, place = varint(block, place)
        own, place = varint(block, place)
        size, place = varint(block, place)
        if shared > len(key) or place + own + size > end:
            raise BadWeights("an entry is cut short")
        key = key[:shared] + block[place : place + own]
        place += own
        yield key, block[place : place + size]
        place += size
