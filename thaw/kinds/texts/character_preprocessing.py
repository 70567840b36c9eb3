"""The preparation of texts for networks that read the characters of words."""

import json
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from thaw.foundation.files.atomic import digest_bytes
from thaw.kinds.texts.characters import characters_of
from thaw.kinds.texts.files import text_in
from thaw.kinds.texts.numbered import Numbered
from thaw.kinds.texts.padded import prepared
from thaw.kinds.texts.word_keys import words_of
from thaw.kinds.texts.word_preprocessing import PROBE

FORM = "characters"
_TYPICAL = 10_000
"""Words of a long text."""


@dataclass(frozen=True)
class CharacterPreprocessing(Numbered):
    """longest: numbers of a word, with the two marks around it."""

    kind: ClassVar[str] = "texts"
    longest: int

    def to_json(self) -> str:
        """See `Preprocessing`."""
        return json.dumps({"form": FORM, "kind": self.kind, "longest": self.longest}, sort_keys=True)

    def prepare(self, content: bytes) -> dict[str, Tensor]:
        """`tokens` int16 [T, longest], and `mask` bool [T]. Raises BadExample: see `text_in`."""
        return prepared(torch.from_numpy(characters_of(words_of(text_in(content), lowercase=False), self.longest)))

    def blank(self) -> dict[str, Tensor]:
        """See `Preprocessing`: a text of some empty words."""
        return prepared(torch.from_numpy(characters_of([""] * 8, self.longest)))

    def nbytes(self) -> int:
        """See `Preprocessing`."""
        return (2 * self.longest + 1) * _TYPICAL

    def probe_digest(self) -> str:
        """See `Preprocessing`."""
        return digest_bytes(characters_of(words_of(PROBE, lowercase=False), self.longest).tobytes()).hex()
