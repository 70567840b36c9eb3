"""The preparation of texts for networks that look words between spaces up by TensorFlow's fingerprints."""

import json
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thaw.kinds.texts.keyed import Keyed
from thaw.kinds.texts.spaced_words import fingerprints_of

FORM = "spaced"


@dataclass(frozen=True)
class SpacedPreprocessing(Keyed):
    """punctuation: whether it stays at the words. empty: whether there is an empty word between two spaces."""

    kind: ClassVar[str] = "texts"
    punctuation: bool
    empty: bool

    def to_json(self) -> str:
        """See `Preprocessing`."""
        return json.dumps({"form": FORM, "kind": self.kind, **asdict(self)}, sort_keys=True)

    def keys(self, text: str) -> NDArray[np.int64]:
        """See `Keyed`."""
        return fingerprints_of(text, self.punctuation, self.empty)
