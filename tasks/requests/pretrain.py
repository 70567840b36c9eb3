"""The request `thaw pretrain`: an encoder of a kind, pretrained on the user's own corpus. It is no stage; a person asks for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from thaw.foundation.errors import BadParameters
from thaw.foundation.parallel.progress import Progress, untold
from thaw.pretraining.texts.corpus import Corpus
from thaw.pretraining.texts.encoders import settings_given, settings_of
from thaw.pretraining.texts.pretraining import Order, Telling
from thaw.pretraining.texts.pretraining import pretrain as make
from thaw.pretraining.texts.record import Record

KINDS = ("texts",)
"""The kinds whose encoders are pretrained on a user's own corpus."""


@dataclass(frozen=True)
class Asked:
    """What a person asks for. files: of the corpus, in order. column, encoding: see `Corpus`. settings: as `NAME=VALUE`. teacher, words: settings that are
    files, of the encoders that have them."""

    kind: str
    encoder: str
    files: Sequence[Path]
    out: Path
    column: str = "text"
    encoding: str | None = None
    settings: Sequence[str] = ()
    teacher: Path | None = None
    words: Path | None = None


def pretrain(asked: Asked, reading: Progress = untold, training: Progress = untold) -> tuple[Record, Order]:
    """Pretrain the encoder, and write it and its card. See `thaw.pretraining.texts.pretraining.pretrain`.

    Raises:
        BadParameters: no encoder of that kind or name is pretrained, or a setting is not allowed; and the errors of the pretraining itself.
    """
    if asked.kind not in KINDS:
        raise BadParameters(f"--kind: {asked.kind} given; encoders of {', '.join(KINDS)} are pretrained")
    named = {"teacher": asked.teacher, "words": asked.words}
    files = {name: path for name, path in named.items() if path is not None}
    settings = settings_of(asked.encoder, settings_given(asked.settings) | files)
    order = Order(asked.encoder, Corpus(tuple(asked.files), asked.column, asked.encoding), settings, asked.out)
    return make(order, Telling(reading, training)), order
