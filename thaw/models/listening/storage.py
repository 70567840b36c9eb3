"""A trigger model on disk: the backbone's two files, `detector.safetensors` with the numbers and `detector.json` with the rest, without pickle."""

import math
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from thaw.backbones.backbone import read_written_backbone, write_backbone
from thaw.foundation.errors import BadArtifact
from thaw.foundation.files.atomic import digest_bytes, replaced_folder, write_bytes, write_text
from thaw.heads.logistic import LogisticModel
from thaw.heads.mlp import MlpModel
from thaw.heads.standardisation import Standardisation
from thaw.heads.trigger.detector import Detector, WindowModel
from thaw.models.listening.trigger_model import TriggerModel
from thaw.targets.trigger.promise import Budget, Promise

TENSORS, CARD = "detector.safetensors", "detector.json"


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
    """`detector.json`. tensors: the digest of the other file."""

    version: Literal[1] = 1
    word: str
    threshold: float
    window: int
    refractory: int
    promise: _Promised
    limit: float | None
    tensors: str


def write_trigger(model: TriggerModel, folder: Path) -> None:
    """Write the folder as a whole, in place of an older one."""
    content, promise = save(_tensors(model.detector.model)), model.promise
    limit = model.detector.model.standardisation.limit
    stated = {name: getattr(promise, name) for name in _Promised.model_fields if hasattr(promise, name)}
    card = _Card(
        word=model.word,
        threshold=promise.threshold,
        window=model.detector.places,
        refractory=model.refractory,
        promise=_Promised(**stated, **vars(promise.budget)),
        limit=limit if math.isfinite(limit) else None,
        tensors=digest_bytes(content).hex(),
    )
    with replaced_folder(folder) as fresh:
        write_backbone(model.backbone, fresh)
        write_bytes(fresh / TENSORS, content)
        write_text(fresh / CARD, card.model_dump_json(indent=2) + "\n")


def read_trigger(folder: Path) -> TriggerModel:
    """Read the folder of `write_trigger`; the scores are the same bit for bit.

    Raises:
        BadArtifact: a file is missing, torn, of another version, or does not belong to the others.
    """
    try:
        card = _Card.model_validate_json((folder / CARD).read_bytes())
        content = (folder / TENSORS).read_bytes()
        if digest_bytes(content).hex() != card.tensors:
            raise BadArtifact(_say(folder, f"{TENSORS} is not the file that {CARD} was written with"))
        model = _model(load(content), math.inf if card.limit is None else card.limit)
        backbone = read_written_backbone(folder)
    except ValidationError as error:
        raise BadArtifact(_say(folder, f"{CARD} is not a detector's card of this version")) from error
    except OSError as error:
        raise BadArtifact(_say(folder, error.strerror or str(error))) from error
    except (SafetensorError, KeyError) as error:
        raise BadArtifact(_say(folder, f"{type(error).__name__}: {error}")) from error
    stated = card.promise.model_dump()
    budget = Budget(**{name: stated.pop(name) for name in ("false_accepts_per_hour", "confidence")})
    promise = Promise(threshold=card.threshold, budget=budget, **stated)
    return TriggerModel(card.word, backbone, Detector(model, card.window), card.refractory, promise)


def _say(folder: Path, reason: str) -> str:
    return f"the trigger in {folder} cannot be read ({reason}); `thaw trigger` makes it"


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
