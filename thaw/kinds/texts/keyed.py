"""The common part of preparations that make one number of each word."""

from abc import ABC, abstractmethod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from thaw.foundation.files.atomic import digest_bytes
from thaw.kinds.texts.files import text_in
from thaw.kinds.texts.numbered import Numbered
from thaw.kinds.texts.padded import prepared
from thaw.kinds.texts.word_preprocessing import PROBE

_TYPICAL = 10_000
"""Words of a long text."""


class Keyed(Numbered, ABC):
    """A part of a `Preprocessing`."""

    @abstractmethod
    def keys(self, text: str) -> NDArray[np.int64]:
        """The numbers of a text's words: int64 [T]."""

    def prepare(self, content: bytes) -> dict[str, Tensor]:
        """`tokens` int64 [T], and `mask` bool [T]. Raises BadExample: see `text_in`."""
        return prepared(torch.from_numpy(self.keys(text_in(content))))

    def blank(self) -> dict[str, Tensor]:
        """See `Preprocessing`: a text of some unknown words."""
        return prepared(torch.zeros(8, dtype=torch.int64))

    def nbytes(self) -> int:
        """See `Preprocessing`."""
        return 9 * _TYPICAL

    def probe_digest(self) -> str:
        """See `Preprocessing`."""
        return digest_bytes(self.keys(PROBE).tobytes()).hex()
