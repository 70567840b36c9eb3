"""The stage `pretrain` of the pipeline of the embedded word vectors: each part is pretrained on the corpora, and several parts are joined."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tasks.project.entry import stage
from tasks.project.progress import counted
from tasks.stages.text_corpora import CORPUS, FOLDER, TextPretrainParams, read_text_params
from thaw.backbones.weights import Weights, read_weights, write_weights
from thaw.foundation.files.atomic import digest_file, write_text
from thaw.pretraining.storing import as_stored, widened
from thaw.pretraining.texts.corpus import Corpus
from thaw.pretraining.texts.encoders import settings_of
from thaw.pretraining.texts.joining import JoinSettings, join
from thaw.pretraining.texts.numbering import Numbered, count_words, number_corpus, vocabulary_of
from thaw.pretraining.texts.pretraining import Order, Telling, pretrain
from thaw.pretraining.texts.probe import probe

log = logging.getLogger(__name__)

WEIGHTS = FOLDER / "words.safetensors"
TRAINING = FOLDER / "training.json"
PARTS = FOLDER / "parts"
SOURCE = (
    "Means of word vectors, distilled from Google's multilingual Universal Sentence Encoder (Apache-2.0): what it makes of single words of novels (ELTeC, "
    "CC BY 4.0) and of the glosses and examples of WordNet."
)


def main() -> None:
    """Pretrain, join, and write the weights, and a record of the training."""
    params = read_text_params()
    records = {name: part_record(name, given) for name, given in params.parts.items()}
    parts = [read_weights(_part(name)) for name in params.parts]
    if params.join is None:
        (record,) = records.values()
        weights, found = as_stored(parts[0], record["settings"]["stored"]), record["probe"]
    else:
        weights, found = joined(parts, next(iter(records.values())), params.join)
    write_weights(WEIGHTS, weights.tensors, {**weights.metadata, "source": SOURCE})
    write_text(TRAINING, json.dumps(record_of(params, records, weights, found), indent=2) + "\n")


def joined(
    parts: Sequence[Weights], record: Mapping[str, Any], settings: JoinSettings
) -> tuple[Weights, dict[str, Any] | None]:
    """The parts as one, and the probe of it; record: of a part."""
    with TemporaryDirectory(dir=PARTS) as folder:
        numbered = numbered_as(record, Path(folder))
        weights = as_stored(join(parts, numbered, settings), settings.stored)
        found = probe(widened(weights), numbered)
    return weights, None if found is None else asdict(found)


def part_record(name: str, given: Mapping[str, object]) -> dict[str, Any]:
    """The record of a part, which is pretrained unless it is there already, of the same settings and corpus."""
    order = Order(name, Corpus((CORPUS,)), settings_of(name, given), _part(name))
    kept = _part(name).with_suffix(".json")
    stated = {
        "files": [digest_file(path).hex() for path in (CORPUS, *order.settings.files)],
        "settings": order.settings.model_dump(mode="json"),
    }
    if kept.is_file() and _part(name).is_file():
        record: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        if record["stated"] == stated and record["weights"] == digest_file(_part(name)).hex():
            log.info("%s: there already", name)
            return record
    with counted(f"{name}: read", "bytes") as reading, counted(name, "steps") as training:
        record = {**asdict(pretrain(order, Telling(reading, training))), "stated": stated}
    write_text(kept, json.dumps(record) + "\n")
    return record


def numbered_as(record: Mapping[str, Any], folder: Path) -> Numbered:
    """The corpus with the vocabulary of a part; folder: for its numbers."""
    settings, corpus = record["settings"], Corpus((CORPUS,))
    counts, facts = count_words(corpus, lowercase=settings["lowercase"])
    vocabulary = vocabulary_of(counts, min_count=settings["min_count"], max_words=settings["max_words"])
    return number_corpus(corpus, vocabulary, facts, folder, lowercase=settings["lowercase"])


def record_of(
    params: TextPretrainParams,
    records: Mapping[str, Mapping[str, Any]],
    weights: Weights,
    found: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """What `training.json` holds."""
    told = ("sentence", "architecture", "steps", "minutes", "losses", "settings", "weights")
    first = next(iter(records.values()))
    return {
        "weights": digest_file(WEIGHTS).hex(),
        "architecture": weights.metadata["architecture"],
        "minutes": round(sum(record["minutes"] for record in records.values()), 1),
        "facts": first["facts"],
        "all_words": first["all_words"],
        "probe": found,
        "parts": {name: {key: record[key] for key in told} for name, record in records.items()},
        "params": params.model_dump(mode="json", by_alias=True),
    }


def _part(name: str) -> Path:
    return PARTS / f"{name}.safetensors"


if __name__ == "__main__":
    stage(main)
