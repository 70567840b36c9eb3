"""The input and the result of a conversion."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from thaw.backbones.weights import Weights


@dataclass(frozen=True)
class Source:
    """Other programs' files. path: a file or a folder. words: a file of word vectors, for networks that come without their own; None: not given."""

    path: Path
    words: Path | None = None


@dataclass(frozen=True, eq=False)
class Made:
    """A backbone. weights: with the architecture and the preprocessing in their metadata. notes: sentences on what was read, and on what was left out.
    texts: writes the text tower that has learnt beside it into a folder, see `thaw.backbones.text_towers`; None: there is none."""

    weights: Weights
    notes: tuple[str, ...]
    texts: Callable[[Path], None] | None = None
