"""Openness on disk, beside its head: `openness.safetensors` with the numbers and `openness.json` with the other fields, without pickle."""

from pathlib import Path
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, FiniteFloat, NonNegativeInt, PositiveInt, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from thaw.foundation.errors import BadArtifact
from thaw.foundation.files.atomic import digest_bytes, digest_file, write_bytes, write_text
from thaw.heads.open_set.fitted import Openness, Tuning
from thaw.heads.open_set.scores import Background, Energy, Mahalanobis, MaxProbability, Neighbours, Score, ScoreName
from thaw.heads.standardisation import Standardisation
from thaw.heads.storage import CARD as HEAD_CARD

TENSORS = "openness.safetensors"
CARD = "openness.json"


class _Card(BaseModel):
    """`openness.json`. `tensors` and `head` are BLAKE3 of `openness.safetensors` and `head.json`, hex; the three files belong together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["thaw.openness/1"] = "thaw.openness/1"
    score: ScoreName
    threshold: FiniteFloat
    background: str | None
    target: NonNegativeInt | None
    neighbours: PositiveInt | None
    tuning: Tuning
    tensors: str
    head: str


def write_openness(openness: Openness, folder: Path) -> None:
    """Write both files beside the head in `folder`, each atomically; the same openness and head give the same bytes."""
    score, content = openness.score, save(_tensors(openness.score))
    card = _Card(
        score=score.name,
        threshold=openness.threshold,
        background=openness.background,
        target=score.target if isinstance(score, Background) else None,
        neighbours=score.neighbours if isinstance(score, Neighbours) else None,
        tuning=openness.tuning,
        tensors=digest_bytes(content).hex(),
        head=digest_file(folder / HEAD_CARD).hex(),
    )
    write_bytes(folder / TENSORS, content)
    write_text(folder / CARD, card.model_dump_json(indent=2) + "\n")


def remove_openness(folder: Path) -> None:
    """Remove the openness of an earlier head in `folder`, if it had one."""
    for name in (CARD, TENSORS):
        (folder / name).unlink(missing_ok=True)


def read_openness(folder: Path) -> Openness | None:
    """Read the files of `write_openness`; None: the head in `folder` has no openness.

    Raises:
        BadArtifact: a file is missing, torn, of another version, or does not belong to the others.
    """
    if not (folder / CARD).exists() and not (folder / TENSORS).exists():
        return None
    try:
        card = _Card.model_validate_json((folder / CARD).read_bytes())
        content = (folder / TENSORS).read_bytes()
        if digest_bytes(content).hex() != card.tensors or digest_file(folder / HEAD_CARD).hex() != card.head:
            raise BadArtifact(_say(folder, f"{CARD} was written with another head or another {TENSORS}"))
        return Openness(_score(card, load(content)), card.threshold, card.tuning, card.background)
    except (OSError, ValidationError, SafetensorError, KeyError) as error:
        reason = f"{CARD} is not of this version" if isinstance(error, ValidationError) else f"{error}"
        raise BadArtifact(_say(folder, reason)) from error


def _say(folder: Path, reason: str) -> str:
    return f"the openness in {folder} cannot be read ({reason}); run `thaw run --stage head` to make it again"


def _tensors(score: Score) -> dict[str, Tensor]:
    """The score's tensors by name, contiguous and each with its own memory."""
    match score:
        case Mahalanobis():
            named = {"whitening": score.whitening, "means": score.means}
        case Neighbours():
            named = {"rows": score.rows}
        case _:
            return {}
    named |= {"mean": score.standardisation.mean, "scale": score.standardisation.scale}
    return {name: tensor.detach().clone(memory_format=torch.contiguous_format) for name, tensor in named.items()}


def _score(card: _Card, tensors: dict[str, Tensor]) -> Score:
    """The score; raises KeyError if a part is missing."""
    match card.score:
        case "max_probability":
            return MaxProbability()
        case "energy":
            return Energy()
        case "mahalanobis":
            return Mahalanobis(_standardisation(tensors), tensors["whitening"], tensors["means"])
        case "neighbours":
            if card.neighbours is None:
                raise KeyError("neighbours")
            return Neighbours(_standardisation(tensors), tensors["rows"], card.neighbours)
        case "background":
            if card.target is None:
                raise KeyError("target")
            return Background(card.target)


def _standardisation(tensors: dict[str, Tensor]) -> Standardisation:
    return Standardisation(tensors["mean"], tensors["scale"])
