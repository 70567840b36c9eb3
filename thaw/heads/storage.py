"""A head on disk: `head.safetensors` with the numbers and `head.json` with the other fields, without pickle.

Registered versions hold heads of older forms, and these can be read too: see `thaw.heads.cards`.
"""

import math
from pathlib import Path

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from thaw.foundation.errors import BadArtifact
from thaw.foundation.files.atomic import digest_bytes, write_bytes, write_text
from thaw.heads.cards import Card, TrialCard, read_card
from thaw.heads.fitted import FeatureModel, FittedHead, Setting, Trial
from thaw.heads.logistic import LogisticModel
from thaw.heads.mlp import MlpModel
from thaw.heads.neighbours import NeighboursModel
from thaw.heads.standardisation import Standardisation

TENSORS = "head.safetensors"
CARD = "head.json"


def write_head(head: FittedHead, folder: Path) -> None:
    """Write `head.safetensors` and `head.json`, each atomically; the same head gives the same bytes."""
    model, content = head.on_features, save(_tensors(head))
    card = Card(
        target=head.target_name,
        kind=head.kind,
        class_names=head.class_names,
        temperature=head.temperature,
        thresholds=head.thresholds,
        neighbours=model.neighbours if isinstance(model, NeighboursModel) else None,
        limit=limit if math.isfinite(limit := model.standardisation.limit) else None,
        trials=tuple(_trial_card(trial) for trial in head.trials),
        tensors=digest_bytes(content).hex(),
    )
    write_bytes(folder / TENSORS, content)
    write_text(folder / CARD, card.model_dump_json(indent=2) + "\n")


def read_head(folder: Path) -> FittedHead:
    """Read the files of `write_head`, in today's form or an older one.

    Raises:
        BadArtifact: a file is missing, torn, of another version, or does not belong to the other.
    """
    try:
        card = read_card((folder / CARD).read_bytes())
        content = (folder / TENSORS).read_bytes()
        if digest_bytes(content).hex() != card.tensors:
            raise BadArtifact(_say(folder, f"{TENSORS} is not the file that {CARD} was written with"))
        tensors = load(content)
        model = _model(card, tensors)
    except (OSError, ValidationError, SafetensorError, KeyError) as error:
        raise BadArtifact(_say(folder, _reason(error))) from error
    trials = tuple(_trial(trial) for trial in card.trials)
    shifts = tensors.get("shifts")
    return FittedHead(model, card.class_names, card.temperature, trials, card.target, shifts, card.thresholds)


def _say(folder: Path, reason: str) -> str:
    return f"the head in {folder} cannot be read ({reason}); run `thaw run --stage head` to make it again"


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return f"{CARD} is not a head's card of this version"
    return f"{type(error).__name__}: {error}"


def _tensors(head: FittedHead) -> dict[str, Tensor]:
    """The head's tensors by name, contiguous and each with its own memory."""
    model = head.on_features
    named = {"mean": model.standardisation.mean, "scale": model.standardisation.scale}
    if head.shifts is not None:
        named |= {"shifts": head.shifts}
    if isinstance(model, LogisticModel):
        named |= {"weights": model.weights, "bias": model.bias}
    elif isinstance(model, NeighboursModel):
        named |= {"rows": model.rows, "targets": model.targets, "class_weights": model.class_weights}
    else:
        for number, (weights, bias) in enumerate(zip(model.weights, model.biases, strict=True)):
            named |= {f"weights.{number}": weights, f"bias.{number}": bias}
    return {name: tensor.detach().clone().contiguous() for name, tensor in named.items()}


def _model(card: Card, tensors: dict[str, Tensor]) -> FeatureModel:
    """The model; raises KeyError if a tensor is missing."""
    standardisation = Standardisation(tensors["mean"], tensors["scale"], math.inf if card.limit is None else card.limit)
    if card.kind == "linear":
        return LogisticModel(standardisation, tensors["weights"], tensors["bias"])
    if card.kind == "knn":
        if card.neighbours is None:
            raise KeyError("neighbours")
        return NeighboursModel(
            standardisation, tensors["rows"], tensors["targets"], tensors["class_weights"], card.neighbours
        )
    layers = range(sum(name.startswith("weights.") for name in tensors))
    return MlpModel(
        standardisation,
        tuple(tensors[f"weights.{number}"] for number in layers),
        tuple(tensors[f"bias.{number}"] for number in layers),
    )


def _trial_card(trial: Trial) -> TrialCard:
    return TrialCard(
        l2=trial.setting.l2,
        neighbours=trial.setting.neighbours,
        epochs=trial.setting.epochs,
        log_loss=trial.log_loss,
        accuracy=trial.accuracy,
        chosen=trial.chosen,
    )


def _trial(card: TrialCard) -> Trial:
    setting = Setting(card.l2, card.neighbours, card.epochs)
    return Trial(setting, card.log_loss, card.accuracy, card.chosen)
