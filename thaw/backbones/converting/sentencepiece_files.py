"""SentencePiece's models (`.model`): pieces with their scores, and the normalisation of texts, without its library.

The format is a message of Protocol Buffers, `ModelProto` in SentencePiece's `sentencepiece_model.proto`; its encoding is described at
https://protobuf.dev/programming-guides/encoding/.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from thaw.foundation.errors import BadWeights

_PIECE, _TRAINER, _NORMALIZER = 1, 2, 3
"""Fields of the model."""
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
"""Types of the encoding."""
_UNIGRAM = 1
_BLOCK = 1024
_NORMAL, _UNKNOWN, _USERS = 1, 2, 4
"""Types of pieces that a text may hold: a usual one, the unknown one, and one that a user defined."""


@dataclass(frozen=True)
class Unigram:
    """A model of the type Unigram. pieces: with the logarithm of each one's probability; those that no text holds, such as the one at the end of every text,
    begin with a space, which no piece of a text has. unknown: the number of the piece for unknown characters. charsmap: the normalisation, in
    SentencePiece's own form."""

    pieces: list[tuple[str, float]]
    unknown: int
    charsmap: bytes

    def number(self, piece: str) -> int:
        """The number of a piece that no text holds.

        Raises:
            BadWeights: there is no such piece.
        """
        for number, (name, _) in enumerate(self.pieces):
            if name == f" {piece}":
                return number
        raise BadWeights(f"the tokenizer has no piece {piece}, so it is of another network")


def read_unigram(path: Path) -> Unigram:
    """Read a model.

    Raises:
        BadWeights: the file is damaged, or its model is of another type or treats spaces in another way than almost all do.
    """
    try:
        return _read(path)
    except (IndexError, struct.error, UnicodeDecodeError, EOFError) as error:
        raise BadWeights(f"{path} is no model of SentencePiece, or damaged; fetch it again") from error


def _read(path: Path) -> Unigram:
    pieces: list[tuple[str, float]] = []
    unknown, kind, charsmap, spaces = 0, _UNIGRAM, b"", [1, 1, 1]
    for field, value in _fields(path.read_bytes()):
        if field == _PIECE and isinstance(value, bytes):
            name, score, use = _piece(value)
            if use == _UNKNOWN:
                unknown = len(pieces)
            pieces.append((name if use in (_NORMAL, _USERS) else f" {name}", score))
        elif field == _TRAINER and isinstance(value, bytes):
            kind = next((int(each) for number, each in _fields(value) if number == 3), _UNIGRAM)
        elif field == _NORMALIZER and isinstance(value, bytes):
            inside = dict(_fields(value))
            charsmap = _whole(inside.get(2, b""))
            spaces = [int(inside.get(number, 1)) for number in (3, 4, 5)]
    if not pieces:
        raise EOFError
    if kind != _UNIGRAM or spaces != [1, 1, 1] or not charsmap:
        raise BadWeights(
            f"{path} is no model of the type Unigram with a normalisation, a space before each text and none twice; only these are read"
        )
    return Unigram(pieces, unknown, charsmap)


def _whole(charsmap: object) -> bytes:
    """A normalisation whose trie is there; its length stands before it, and it consists of blocks of 256 numbers of 4 bytes."""
    if not isinstance(charsmap, bytes):
        raise EOFError
    if charsmap:
        (size,) = struct.unpack_from("<I", charsmap)
        if not size or size % _BLOCK or len(charsmap) < 4 + size:
            raise EOFError
    return charsmap


def _piece(content: bytes) -> tuple[str, float, int]:
    """A piece's name, score and type."""
    inside = dict(_fields(content))
    name = inside.get(1)
    if not isinstance(name, bytes):
        raise EOFError
    return name.decode(), float(inside.get(2, 0.0)), int(inside.get(3, _NORMAL))


def _fields(content: bytes) -> Iterator[tuple[int, int | float | bytes]]:
    """The numbers and values of a message's fields."""
    place = 0
    while place < len(content):
        tag, place = _varint(content, place)
        field, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            number, place = _varint(content, place)
            yield field, number
            continue
        length = {_FIXED64: 8, _FIXED32: 4}.get(kind)
        if kind == _BYTES:
            length, place = _varint(content, place)
        if length is None or place + length > len(content):
            raise EOFError
        value = content[place : place + length]
        place += length
        yield field, struct.unpack("<f", value)[0] if kind == _FIXED32 else value


def _varint(content: bytes, place: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and the place behind it."""
    number = shift = 0
    while True:
        byte = content[place]
        number |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return number, place
