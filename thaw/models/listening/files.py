"""Triggers in whole recordings of any length: the sound is heard block by block, and only its features are kept."""

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor

from thaw.features.sequences.network import rate_of
from thaw.features.sequences.surroundings import BEFORE, quiet
from thaw.kinds.sounds.framed import hop_of
from thaw.kinds.sounds.streams import of_file
from thaw.models.listening.sequences import FeatureStream
from thaw.models.prediction.answer import HeardAt
from thaw.models.prediction.trigger_predictor import TriggerPredictor


def heard_in_file(predictor: TriggerPredictor, path: Path) -> tuple[HeardAt, ...]:
    """The events of a file, in order; they are those of `TriggerPredictor.predict`.

    Raises:
        BadExample: the file cannot be read, is no sound, or is damaged.
    """
    blocks = (torch.from_numpy(block) for block in of_file(path, rate_of(predictor.backbone)))
    return predictor.events_in(_features(predictor, blocks))


def _features(predictor: TriggerPredictor, blocks: Iterable[Tensor]) -> Tensor:
    """The features of all places, with quiet around the sound, whose last frame is filled with zeros."""
    stream, around = FeatureStream(predictor.backbone), quiet(hop_of(rate_of(predictor.backbone)))
    parts, samples = [stream.feed(around[:BEFORE].flatten())], 0
    for block in blocks:
        parts.append(stream.feed(block))
        samples += len(block)
    parts += [stream.feed(torch.zeros(-samples % around.shape[1])), stream.feed(around[BEFORE:].flatten())]
    return torch.cat([part for part in parts if len(part)])
