"""The pretraining of a text encoder, from a corpus to a backbone and its card."""

import json
import logging
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from thaw.backbones.weights import write_weights
from thaw.foundation.errors import BadWeights
from thaw.foundation.files.atomic import digest_file, write_text
from thaw.foundation.files.shared_lock import alone
from thaw.foundation.parallel.progress import Progress, untold
from thaw.foundation.parallel.torch_threads import threads
from thaw.pretraining.storing import as_stored, widened
from thaw.pretraining.texts.card import card
from thaw.pretraining.texts.corpus import Corpus
from thaw.pretraining.texts.encoders import Encoder, encoder_named
from thaw.pretraining.texts.numbering import Lines, Numbered, count_words, number_corpus, read_numbered, vocabulary_of
from thaw.pretraining.texts.probe import probe
from thaw.pretraining.texts.record import Record
from thaw.pretraining.texts.settings import EncoderSettings
from thaw.pretraining.training import SAVED_EVERY_S, run_training

log = logging.getLogger(__name__)
_PLAN, _LOCK = "plan.json", "lock"


@dataclass(frozen=True)
class Order:
    """What is to be pretrained. settings: of the encoder's own type. out: the backbone to write, a `.safetensors` file."""

    encoder: str
    corpus: Corpus
    settings: EncoderSettings
    out: Path

    @property
    def folder(self) -> Path:
        """The folder of an unfinished pretraining, beside the result; it is deleted at the end."""
        return self.out.with_name(f"{self.out.name}.unfinished")

    @property
    def card(self) -> Path:
        """The card beside the result."""
        return self.out.with_suffix(".md")


@dataclass(frozen=True)
class Telling:
    """Where progress goes. reading: bytes of the corpus. training: steps."""

    reading: Progress = untold
    training: Progress = untold


def pretrain(order: Order, telling: Telling | None = None, *, saved_every_s: float = SAVED_EVERY_S) -> Record:
    """Pretrain an encoder, and write the backbone and its card. A killed pretraining goes on from its last state, to the same numbers.

    With other settings, or a changed corpus, it starts from the beginning.

    Raises:
        BadSource: the corpus is missing, damaged, or too small.
        BadParameters: there is no such encoder; a package is missing; or the corpus is too small for the settings.
        BadWeights: `out` is no `.safetensors` file.
        InUse: another process pretrains the same file.
    """
    telling = telling or Telling()
    encoder = encoder_named(order.encoder)
    if order.out.suffix != ".safetensors":
        raise BadWeights(f"--out: {order.out} does not end in .safetensors")
    with alone(order.folder / _LOCK, f"{order.out} is being pretrained by another process; wait until it has ended"):
        record = _pretrain(order, telling, encoder, saved_every_s)
        shutil.rmtree(order.folder)
    return record


def _pretrain(order: Order, telling: Telling, encoder: Encoder, saved_every_s: float) -> Record:
    numbered = _numbered(order, encoder.lines, telling.reading)
    with threads(order.settings.threads):
        training = encoder.training(numbered, order.settings, order.corpus)
        ran = run_training(training, order.folder, telling.training, saved_every_s=saved_every_s)
        learnt = training.weights()
    weights = as_stored(learnt, order.settings.stored)
    write_weights(order.out, weights.tensors, {**weights.metadata, "source": encoder.sentence})
    record = Record(
        encoder=order.encoder,
        sentence=encoder.sentence,
        architecture=weights.metadata["architecture"],
        files=tuple(path.name for path in order.corpus.files),
        facts=numbered.facts,
        known_words=len(numbered.vocabulary.words),
        all_words=numbered.vocabulary.all_words,
        settings=order.settings.model_dump(mode="json"),
        steps=training.steps,
        losses=ran.losses,
        minutes=round(ran.seconds / 60, 2),
        notes=learnt.notes,
        probe=probe(widened(weights), numbered),
        weights=digest_file(order.out).hex(),
    )
    write_text(order.card, card(record))
    return record


def _numbered(order: Order, lines: Lines, progress: Progress) -> Numbered:
    """The corpus as numbers: of the unfinished pretraining, if the order is the same, or else new ones in an emptied folder."""
    plan, folder = _plan(order), order.folder
    written = folder / _PLAN
    if (
        written.is_file()
        and written.read_text(encoding="utf-8") == plan
        and (kept := read_numbered(folder)) is not None
    ):
        log.info("the unfinished pretraining in %s goes on", folder)
        return kept
    if written.is_file():
        log.info(
            "the pretraining in %s was of other settings or another corpus, so this one starts from the beginning",
            folder,
        )
    for path in folder.iterdir():
        if path.name != _LOCK:
            path.unlink()
    settings = order.settings
    counts, facts = count_words(order.corpus, lowercase=settings.lowercase, progress=progress, lines=lines)
    vocabulary = vocabulary_of(counts, min_count=settings.min_count, max_words=settings.max_words)
    numbered = number_corpus(
        order.corpus, vocabulary, facts, folder, lowercase=settings.lowercase, progress=progress, lines=lines
    )
    write_text(written, plan)
    return numbered


def _plan(order: Order) -> str:
    """Everything that changes a number, as JSON."""
    stated = {
        "encoder": order.encoder,
        "settings": order.settings.model_dump(mode="json"),
        "files": [digest_file(path).hex() for path in (*order.corpus.files, *order.settings.files) if path.is_file()],
        "reading": {name: value for name, value in asdict(order.corpus).items() if name != "files"},
    }
    return json.dumps(stated, sort_keys=True) + "\n"
