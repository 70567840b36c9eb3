"""SentencePiece's models (`.model`): pieces with their scores, and the normalisation of texts, without its library.

The format is a message of Protocol Buffers, `ModelProto` in SentencePiece's `sentencepiece_model.proto`.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

from thaw.backbones.converting.protobuf import fields_of
from thaw.foundation.errors import BadWeights

_PIECE, _TRAINER, _NORMALIZER = 1, 2, 3
"""Fields of the model."""
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
        model = _parsed(path.read_bytes())
    except (BadWeights, struct.error, UnicodeDecodeError, EOFError) as error:
        raise BadWeights(f"{path} is no model of SentencePiece, or damaged; fetch it again") from error
    if model is None:
        raise BadWeights(
            f"{path} is no model of the type Unigram with a normalisation, a space before each text and none twice; only these are read"
        )
    return model


def _parsed(content: bytes) -> Unigram | None:
    """The model in the bytes of a file; None: it is of another type."""
    pieces: list[tuple[str, float]] = []
    unknown, kind, charsmap, spaces = 0, _UNIGRAM, b"", [1, 1, 1]
    for field, value in fields_of(content):
        if field == _PIECE and isinstance(value, bytes):
            name, score, use = _piece(value)
            if use == _UNKNOWN:
                unknown = len(pieces)
            pieces.append((name if use in (_NORMAL, _USERS) else f" {name}", score))
        elif field == _TRAINER and isinstance(value, bytes):
            kind = next((int(each) for number, each in fields_of(value) if number == 3), _UNIGRAM)
        elif field == _NORMALIZER and isinstance(value, bytes):
            inside = dict(fields_of(value))
            charsmap = _whole(inside.get(2, b""))
            spaces = [int(inside.get(number, 1)) for number in (3, 4, 5)]
    if not pieces:
        raise EOFError
    if kind != _UNIGRAM or spaces != [1, 1, 1] or not charsmap:
        return None
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
    inside = dict(fields_of(content))
    name = inside.get(1)
    if not isinstance(name, bytes):
        raise EOFError
    (score,) = struct.unpack("<f", int(inside.get(2, 0)).to_bytes(4, "little"))
    return name.decode(), score, int(inside.get(3, _NORMAL))
