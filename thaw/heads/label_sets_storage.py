"""A head for label sets on disk: `head.safetensors` with the numbers and `head.json` with the rest, as other heads lie. No pickle."""

import math
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, PositiveFloat, TypeAdapter, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save

from thaw.foundation.errors import BadArtifact
from thaw.foundation.files.atomic import digest_bytes, write_bytes, write_text
from thaw.heads.fitted import Setting, Trial
from thaw.heads.label_sets_fitted import LabelSetHead
from thaw.heads.logistic import LogisticModel
from thaw.heads.standardisation import Standardisation
from thaw.heads.storage import CARD, TENSORS

FORMAT: Literal["thaw.label-set-head/1"] = "thaw.label-set-head/1"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _TrialCard(_Part):
    l2: FiniteFloat
    log_loss: FiniteFloat | None
    accuracy: FiniteFloat | None
    chosen: bool


class _Card(_Part):
    """`head.json`. `tensors` is BLAKE3 of `head.safetensors`, hex. limit: see `Standardisation`; None: there is none."""

    format: Literal["thaw.label-set-head/1"] = FORMAT
    kind: Literal["linear"] = "linear"
    class_names: tuple[str, ...]
    temperature: PositiveFloat
    thresholds: tuple[Annotated[float, Field(gt=0, lt=1)], ...]
    limit: PositiveFloat | None
    trials: tuple[_TrialCard, ...]
    tensors: str


class _Format(BaseModel):
    """Of any head, as much as tells what it is."""

    format: str


def write_label_set_head(head: LabelSetHead, folder: Path) -> None:
    """Write `head.safetensors` and `head.json`, each atomically; the same head gives the same bytes."""
    standardisation = head.model.standardisation
    content = save(
        {
            name: tensor.detach().clone().contiguous()
            for name, tensor in {
                "mean": standardisation.mean,
                "scale": standardisation.scale,
                "weights": head.model.weights,
                "bias": head.model.bias,
            }.items()
        }
    )
    card = _Card(
        class_names=head.class_names,
        temperature=head.temperature,
        thresholds=head.thresholds,
        limit=limit if math.isfinite(limit := standardisation.limit) else None,
        trials=tuple(
            _TrialCard(l2=one.setting.l2 or 0.0, log_loss=one.log_loss, accuracy=one.accuracy, chosen=one.chosen)
            for one in head.trials
        ),
        tensors=digest_bytes(content).hex(),
    )
    write_bytes(folder / TENSORS, content)
    write_text(folder / CARD, card.model_dump_json(indent=2) + "\n")


def read_label_set_head(folder: Path) -> LabelSetHead:
    """Read what `write_label_set_head` wrote.

    Raises:
        BadArtifact: a file is missing, torn, of another version or kind, or does not belong to the other.
    """
    try:
        card = _Card.model_validate_json((folder / CARD).read_bytes())
        content = (folder / TENSORS).read_bytes()
        if digest_bytes(content).hex() != card.tensors:
            raise BadArtifact(_say(folder, f"{TENSORS} is not the file that {CARD} was written with"))
        tensors = load(content)
        limit = math.inf if card.limit is None else card.limit
        standardisation = Standardisation(tensors["mean"], tensors["scale"], limit)
        model = LogisticModel(standardisation, tensors["weights"], tensors["bias"])
    except (OSError, ValidationError, SafetensorError, KeyError) as error:
        wrong = f"{CARD} is no card of a head for label sets of this version"
        reason = wrong if isinstance(error, ValidationError) else f"{type(error).__name__}: {error}"
        raise BadArtifact(_say(folder, reason)) from error
    trials = tuple(Trial(Setting(l2=one.l2), one.log_loss, one.accuracy, one.chosen) for one in card.trials)
    return LabelSetHead(model, card.class_names, card.temperature, card.thresholds, trials)


def holds_label_set_head(folder: Path) -> bool:
    """Whether the head in `folder` is one for label sets; False where there is none that can be read."""
    try:
        return TypeAdapter(_Format).validate_json((folder / CARD).read_bytes()).format == FORMAT
    except (OSError, ValidationError):
        return False


def _say(folder: Path, reason: str) -> str:
    return f"the head in {folder} cannot be read ({reason}); run `thaw run --stage head` to make it again"
