"""The preparation of texts for networks that look up words as Moses' tokenizer cuts them."""

import json
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from thaw.foundation.files.atomic import digest_bytes
from thaw.kinds.texts.files import text_in
from thaw.kinds.texts.moses_words import moses_words_of
from thaw.kinds.texts.numbered import Numbered
from thaw.kinds.texts.padded import prepared
from thaw.kinds.texts.word_keys import key_of
from thaw.kinds.texts.word_preprocessing import PROBE

FORM = "moses_words"
_TYPICAL = 10_000
"""Words of a long text."""


@dataclass(frozen=True)
class MosesPreprocessing(Numbered):
    """It has no settings: capitals count, and `n't` is two words."""

    kind: ClassVar[str] = "texts"

    def to_json(self) -> str:
        """See `Preprocessing`."""
        return json.dumps({"form": FORM, "kind": self.kind}, sort_keys=True)

    def prepare(self, content: bytes) -> dict[str, Tensor]:
        """`tokens` int64 [T], and `mask` bool [T]. Raises BadExample: see `text_in`."""
        return prepared(_keys_of(text_in(content)))

    def blank(self) -> dict[str, Tensor]:
        """See `Preprocessing`: a text of some unknown words."""
        return prepared(torch.zeros(8, dtype=torch.int64))

    def nbytes(self) -> int:
        """See `Preprocessing`."""
        return 9 * _TYPICAL

    def probe_digest(self) -> str:
        """See `Preprocessing`."""
        return digest_bytes(_keys_of(PROBE).numpy().tobytes()).hex()


def _keys_of(text: str) -> Tensor:
    return torch.tensor([key_of(word) for word in moses_words_of(text)], dtype=torch.int64)
