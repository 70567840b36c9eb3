"""Detectors on disk: of each word a file `detector.safetensors` with the numbers and `detector.json` with the rest, without pickle.

The files of further words have a number in their names, such as `detector.1.json`.
"""

import math
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from thaw.foundation.errors import BadArtifact
from thaw.foundation.files.atomic import digest_bytes, write_bytes, write_text
from thaw.heads.logistic import LogisticModel
from thaw.heads.mlp import MlpModel
from thaw.heads.standardisation import Standardisation
from thaw.heads.trigger.detector import Detector, WindowModel
from thaw.heads.trigger.head import TriggerHead, WordDetector
from thaw.targets.trigger.promise import Budget, Promise

TENSORS, CARD = "detector.safetensors", "detector.json"
"""The files of the first word."""
_TENSORS, _CARD = ".safetensors", ".json"


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Promised(_Closed):
    false_accepts_per_hour: float
    confidence: float
    hours: float
    groups: int
    accepted: int
    dispersion: float
    bound: float
    missing_hours: float


class _Card(_Closed):
    """The JSON file. tensors: the digest of the other file."""

    version: Literal[1] = 1
    word: str
    threshold: float
    window: int
    refractory: int
    promise: _Promised
    limit: float | None
    tensors: str


def write_trigger_head(head: TriggerHead, folder: Path) -> None:
    """Write the files of every word, each atomically; the same head gives the same bytes."""
    for number, word in enumerate(head.detectors):
        _write(word, folder, _stem(number))


def read_trigger_head(folder: Path) -> TriggerHead:
    """Read the files of `write_trigger_head`; the scores are the same bit for bit.

    Raises:
        BadArtifact: a file is missing, torn, of another version, or does not belong to the others.
    """
    words = [_read(folder, _stem(0))]
    while (folder / (stem := _stem(len(words)) + _CARD)).exists():
        words.append(_read(folder, stem.removesuffix(_CARD)))
    return TriggerHead(tuple(words))


def holds_trigger_head(folder: Path) -> bool:
    """Whether a folder has such files."""
    return (folder / (_stem(0) + _CARD)).exists()


def _stem(number: int) -> str:
    return f"detector.{number}" if number else "detector"


def _write(word: WordDetector, folder: Path, stem: str) -> None:
    content, promise = save(_tensors(word.detector.model)), word.promise
    limit = word.detector.model.standardisation.limit
    stated = {name: getattr(promise, name) for name in _Promised.model_fields if hasattr(promise, name)}
    card = _Card(
        word=word.word,
        threshold=promise.threshold,
        window=word.detector.places,
        refractory=word.refractory,
        promise=_Promised(**stated, **vars(promise.budget)),
        limit=limit if math.isfinite(limit) else None,
        tensors=digest_bytes(content).hex(),
    )
    write_bytes(folder / (stem + _TENSORS), content)
    write_text(folder / (stem + _CARD), card.model_dump_json(indent=2) + "\n")


def _read(folder: Path, stem: str) -> WordDetector:
    try:
        card = _Card.model_validate_json((folder / (stem + _CARD)).read_bytes())
        content = (folder / (stem + _TENSORS)).read_bytes()
        if digest_bytes(content).hex() != card.tensors:
            raise BadArtifact(_say(folder, f"{stem}{_TENSORS} is not the file that {stem}{_CARD} was written with"))
        model = _model(load(content), math.inf if card.limit is None else card.limit)
    except ValidationError as error:
        raise BadArtifact(_say(folder, f"{stem}{_CARD} is not a detector's card of this version")) from error
    except OSError as error:
        raise BadArtifact(_say(folder, error.strerror or str(error))) from error
    except (SafetensorError, KeyError) as error:
        raise BadArtifact(_say(folder, f"{type(error).__name__}: {error}")) from error
    stated = card.promise.model_dump()
    budget = Budget(**{name: stated.pop(name) for name in ("false_accepts_per_hour", "confidence")})
    promise = Promise(threshold=card.threshold, budget=budget, **stated)
    return WordDetector(card.word, Detector(model, card.window), card.refractory, promise)


def _say(folder: Path, reason: str) -> str:
    return f"the trigger in {folder} cannot be read ({reason}); `thaw trigger` or `thaw run` makes it"


def _tensors(model: WindowModel) -> dict[str, Tensor]:
    named = {"mean": model.standardisation.mean, "scale": model.standardisation.scale}
    layers = ([model.weights.T], [model.bias]) if isinstance(model, LogisticModel) else (model.weights, model.biases)
    for number, (weights, bias) in enumerate(zip(*layers, strict=True)):
        named |= {f"weights.{number}": weights, f"bias.{number}": bias}
    return {name: tensor.detach().clone().contiguous() for name, tensor in named.items()}


def _model(tensors: dict[str, Tensor], limit: float) -> WindowModel:
    """One layer, or several; raises KeyError if a tensor is missing."""
    standardisation = Standardisation(tensors["mean"], tensors["scale"], limit)
    layers = max(1, sum(name.startswith("weights.") for name in tensors))
    weights = tuple(tensors[f"weights.{number}"] for number in range(layers))
    biases = tuple(tensors[f"bias.{number}"] for number in range(layers))
    if layers == 1:
        return LogisticModel(standardisation, weights[0].T.contiguous(), biases[0])
    return MlpModel(standardisation, weights, biases)
