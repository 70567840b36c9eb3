"""The preparation of texts for networks that make vectors of unknown words from their parts."""

import json
from dataclasses import asdict, dataclass
from typing import ClassVar

import torch
from torch import Tensor

from thaw.foundation.files.atomic import digest_bytes
from thaw.kinds.texts.files import text_in
from thaw.kinds.texts.numbered import Numbered
from thaw.kinds.texts.padded import prepared
from thaw.kinds.texts.subwords import subwords_of
from thaw.kinds.texts.word_keys import key_of, words_of
from thaw.kinds.texts.word_preprocessing import PROBE

FORM = "subwords"
GRAMS, OWNERS = "grams", "owners"
_TYPICAL = 10_000
"""Words of a long text."""
_PARTS = 20
"""Sub-words of a word."""


@dataclass(frozen=True)
class SubwordPreprocessing(Numbered):
    """lowercase: see `WordPreprocessing`. shortest, longest: characters of a sub-word. buckets: the number of different sub-words."""

    kind: ClassVar[str] = "texts"
    lowercase: bool
    shortest: int
    longest: int
    buckets: int

    def to_json(self) -> str:
        """See `Preprocessing`."""
        return json.dumps({"form": FORM, "kind": self.kind, **asdict(self)}, sort_keys=True)

    def prepare(self, content: bytes) -> dict[str, Tensor]:
        """`tokens` int64 [T], `mask` bool [T], `grams` int64 [M], buckets from 1 on, and `owners` int64 [M], the place of the word of each.

        Raises:
            BadExample: see `text_in`.
        """
        return self._of(text_in(content))

    def _of(self, text: str) -> dict[str, Tensor]:
        words = words_of(text, self.lowercase)
        parts = torch.from_numpy(subwords_of(words, self.shortest, self.longest, self.buckets))
        tokens = torch.tensor([key_of(word) for word in words], dtype=torch.int64)
        return {**prepared(tokens), GRAMS: parts[:, 0].contiguous(), OWNERS: parts[:, 1].contiguous()}

    def blank(self) -> dict[str, Tensor]:
        """See `Preprocessing`: a text of some unknown words without parts."""
        return {
            **prepared(torch.zeros(8, dtype=torch.int64)),
            GRAMS: torch.zeros(16, dtype=torch.int64),
            OWNERS: torch.arange(16) // 2,
        }

    def nbytes(self) -> int:
        """See `Preprocessing`."""
        return (9 + 16 * _PARTS) * _TYPICAL

    def probe_digest(self) -> str:
        """See `Preprocessing`."""
        probe = self._of(PROBE)
        return digest_bytes(b"".join(probe[name].numpy().tobytes() for name in sorted(probe))).hex()
