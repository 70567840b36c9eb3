"""The conversion of other programs' files to a backbone: safetensors that state their architecture and preprocessing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from thaw.backbones.converting import encoder_backbones, word_backbones
from thaw.backbones.converting.source import Made, Source
from thaw.backbones.weights import write_weights
from thaw.foundation.errors import BadWeights
from thaw.foundation.parallel.progress import Progress, untold

FORMATS: Sequence[Callable[[Source, Progress], Made | None]] = (
    encoder_backbones.backbone_in,
    word_backbones.backbone_in,
)
"""Each function returns None for a source of another format. The first one that takes a source reads it."""
READ = (
    "word vectors (`.txt`, `.vec` and `.bin` files of GloVe, word2vec and fastText, but not of its first format)",
    "folders with the config.json of an encoder of BERT's family",
)
"""What is read, for messages."""


@dataclass(frozen=True)
class Converted:
    """The result of a conversion. notes: sentences on what was read, and on what was left out."""

    path: Path
    architecture: str
    notes: tuple[str, ...]


def convert(source: Source, out: Path, progress: Progress = untold) -> Converted:
    """Write the backbone of another program's files, atomically.

    progress: called with the bytes that are read, of all bytes.

    Raises:
        BadWeights: the source is missing, damaged, or of no format that is read.
        BadParameters: a package is needed, and not installed.
    """
    if not source.path.exists():
        raise BadWeights(f"{source.path} does not exist; {_what_is_read()}")
    for backbone_in in FORMATS:
        if (made := backbone_in(source, progress)) is not None:
            write_weights(out, made.weights.tensors, made.weights.metadata)
            return Converted(out, made.weights.metadata["architecture"], made.notes)
    raise BadWeights(f"{source.path} holds no network and no word vectors that are known; {_what_is_read()}")


def _what_is_read() -> str:
    return f"these are read: {'; '.join(READ)}"
