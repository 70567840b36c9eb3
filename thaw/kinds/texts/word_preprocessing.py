"""The preparation of texts for networks that look words up: the keys of their words."""

import json
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from thaw.foundation.files.atomic import digest_bytes
from thaw.kinds.texts.files import text_in
from thaw.kinds.texts.numbered import Numbered
from thaw.kinds.texts.padded import prepared
from thaw.kinds.texts.word_keys import keys_of

FORM = "words"
PROBE = "Isn't it 3.50€, “naïve” – or हिन्दी, 日本語, שלום, café and 👍🏽 co\u00adop?\n"
"""A text with what a change of Python's Unicode tables or of the rules would change."""
_TYPICAL = 10_000
"""Words of a long text."""


@dataclass(frozen=True)
class WordPreprocessing(Numbered):
    """lowercase: whether words are compared in lower case, as the vectors' own vocabulary was made."""

    kind: ClassVar[str] = "texts"
    lowercase: bool = True

    def to_json(self) -> str:
        """See `Preprocessing`."""
        return json.dumps({"form": FORM, "kind": self.kind, "lowercase": self.lowercase}, sort_keys=True)

    def prepare(self, content: bytes) -> dict[str, Tensor]:
        """`tokens` int64 [T], and `mask` bool [T]. Raises BadExample: see `text_in`."""
        return prepared(torch.from_numpy(keys_of(text_in(content), self.lowercase)))

    def blank(self) -> dict[str, Tensor]:
        """See `Preprocessing`: a text of some unknown words."""
        return prepared(torch.zeros(8, dtype=torch.int64))

    def nbytes(self) -> int:
        """See `Preprocessing`."""
        return 9 * _TYPICAL

    def probe_digest(self) -> str:
        """See `Preprocessing`."""
        return digest_bytes(keys_of(PROBE, self.lowercase).tobytes()).hex()
