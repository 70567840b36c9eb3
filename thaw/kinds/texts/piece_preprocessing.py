"""The preparation of texts for networks that take pieces of words."""

import json
import sys
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from thaw.foundation.files.atomic import digest_bytes
from thaw.kinds.texts.files import text_in
from thaw.kinds.texts.numbered import Numbered
from thaw.kinds.texts.padded import prepared
from thaw.kinds.texts.pieces import pieces_of
from thaw.kinds.texts.tokenizers import tokenizer_from
from thaw.kinds.texts.word_preprocessing import PROBE

FORM = "pieces"
_TYPICAL = 10_000
"""Pieces of a long text."""


@dataclass(frozen=True)
class PiecePreprocessing(Numbered):
    """tokenizer: the JSON text of the package tokenizers. max_tokens: pieces of a window, with the special ones; a longer text is read in several windows, as
    `thaw.kinds.texts.pieces.pieces_of` lays them out, so nothing of it is lost. None: a network takes texts of any length."""

    kind: ClassVar[str] = "texts"
    tokenizer: str = field(repr=False)
    max_tokens: int | None

    def __post_init__(self) -> None:
        # Equal tokenizers are then one string, so that looking a parsed one up compares no characters.
        object.__setattr__(self, "tokenizer", sys.intern(self.tokenizer))

    @property
    def window(self) -> int | None:
        """See `Windowed`."""
        return self.max_tokens

    def to_json(self) -> str:
        """See `Preprocessing`."""
        stated = {"form": FORM, "kind": self.kind, "max_tokens": self.max_tokens, "tokenizer": self.tokenizer}
        return json.dumps(stated, sort_keys=True)

    def prepare(self, content: bytes) -> dict[str, Tensor]:
        """`tokens` int64 [T], and `mask` bool [T]. Raises BadExample: see `text_in`."""
        return prepared(torch.from_numpy(np.array(self._pieces(text_in(content)), np.int64)))

    def blank(self) -> dict[str, Tensor]:
        """See `Preprocessing`: a text of the same piece over and over."""
        return prepared(torch.zeros(8, dtype=torch.int64))

    def nbytes(self) -> int:
        """See `Preprocessing`."""
        return 9 * _TYPICAL

    def probe_digest(self) -> str:
        """See `Preprocessing`."""
        return digest_bytes(np.array(self._pieces(PROBE), np.int64).tobytes()).hex()

    def _pieces(self, text: str) -> list[int]:
        return pieces_of(tokenizer_from(self.tokenizer), text, self.max_tokens)
