"""The record of a pretraining."""

from collections.abc import Mapping
from dataclasses import dataclass

from thaw.pretraining.texts.numbering import Facts
from thaw.pretraining.texts.probe import Probe


@dataclass(frozen=True)
class Record:
    """What was pretrained, on what, and what came out. files: names of the corpus's files. known_words, all_words: different words of the corpus, learnt and in
    all. losses: see `Ran`. minutes: of training, without the reading. notes: what it scores by its own measure. weights: BLAKE3 of the written file, hex."""

    encoder: str
    sentence: str
    architecture: str
    files: tuple[str, ...]
    facts: Facts
    known_words: int
    all_words: int
    settings: Mapping[str, object]
    steps: int
    losses: tuple[tuple[int, float], ...]
    minutes: float
    notes: tuple[str, ...]
    probe: Probe | None
    weights: str
