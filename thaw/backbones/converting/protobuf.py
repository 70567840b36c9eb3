"""Protocol buffers without their schema: the numbered fields of a message.

Format: https://protobuf.dev/programming-guides/encoding
"""

from collections.abc import Iterator

from thaw.foundation.errors import BadWeights

_FIXED64 = 1
"""The type of a field of 8 bytes."""
_LONGEST = 10
"""Bytes of a varint of 64 bits."""


def fields_of(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The number and the value of each field: an integer without sign, or the bytes of a string, a message or packed numbers.

    Raises:
        BadWeights: the message is damaged; the error does not name the file.
    """
    place = 0
    while place < len(message):
        key, place = varint(message, place)
        match key & 7:
            case 0:
                value, place = varint(message, place)
                yield key >> 3, value
            case 1 | 5 as kind:
                size = 8 if kind == _FIXED64 else 4
                yield key >> 3, int.from_bytes(_part(message, place, size), "little")
                place += size
            case 2:
                size, place = varint(message, place)
                yield key >> 3, _part(message, place, size)
                place += size
            case _:
                raise BadWeights("a message has a field of an unknown type")


def varint(data: bytes, place: int) -> tuple[int, int]:
    """The number at a place, and the place behind it. Raises BadWeights: the data end before the number does."""
    value = 0
    for shift in range(_LONGEST):
        if place >= len(data):
            raise BadWeights("a number is cut short")
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:
            return value, place
    raise BadWeights("a number has too many bytes")


def messages(message: bytes, number: int) -> list[bytes]:
    """The values of all fields with that number that are bytes."""
    return [value for field, value in fields_of(message) if field == number and isinstance(value, bytes)]


def integer(message: bytes, number: int, default: int = 0) -> int:
    """The value of the last field with that number, as a signed integer of 64 bits."""
    found = [value for field, value in fields_of(message) if field == number and isinstance(value, int)]
    value = found[-1] if found else default
    return value - 2**64 if value >= 2**63 else value


def _part(message: bytes, place: int, size: int) -> bytes:
    if place + size > len(message):
        raise BadWeights("a field is cut short")
    return message[place : place + size]
