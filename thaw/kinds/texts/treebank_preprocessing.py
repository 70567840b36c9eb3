"""The preparation of texts for networks that were trained on the Penn Treebank's words."""

import json
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thaw.kinds.texts.keyed import Keyed
from thaw.kinds.texts.treebank import treebank_keys

FORM = "treebank"


@dataclass(frozen=True)
class TreebankPreprocessing(Keyed):
    """lowercase: whether words are compared in lower case, as the network's own vocabulary was made."""

    kind: ClassVar[str] = "texts"
    lowercase: bool

    def to_json(self) -> str:
        """See `Preprocessing`."""
        return json.dumps({"form": FORM, "kind": self.kind, "lowercase": self.lowercase}, sort_keys=True)

    def keys(self, text: str) -> NDArray[np.int64]:
        """See `Keyed`."""
        return treebank_keys(text, self.lowercase)
