"""Triggers in whole recordings of any length: the sound is heard block by block, and only its features are kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from thaw.features.sequences.network import rate_of
from thaw.features.sequences.recordings import sequence_of
from thaw.features.sequences.surroundings import BEFORE, quiet
from thaw.foundation.files.atomic import digest_bytes, digest_file
from thaw.kinds.batches import mapping_of
from thaw.kinds.kind import Limits
from thaw.kinds.sounds.framed import SAMPLES, hop_of
from thaw.kinds.sounds.streams import of_file
from thaw.models.listening.sequences import FeatureStream
from thaw.models.prediction.trigger_predictor import TriggerPredictor


@dataclass(frozen=True, eq=False)
class HeardWhole:
    """A recording with quiet around it, as a network hears it. digest: of the file. features: float32 [P, D]. frames: its own length."""

    digest: bytes
    features: Tensor
    frames: int


def sequence_in_file(predictor: TriggerPredictor, path: Path) -> HeardWhole:
    """The sequence of a file of any length.

    Raises:
        BadExample: the file cannot be read, is no sound, or is damaged.
    """
    blocks = (torch.from_numpy(block) for block in of_file(path, rate_of(predictor.backbone)))
    features, frames = _heard(predictor, blocks)
    return HeardWhole(digest_file(path), features, frames)


def sequence_in_content(predictor: TriggerPredictor, content: bytes, limits: Limits) -> HeardWhole:
    """The sequence of a file in memory.

    Raises:
        BadExample: see `TriggerPredictor.prepare`.
    """
    example = predictor.prepare(content, limits)
    features = sequence_of(predictor.backbone, predictor.span, example)
    return HeardWhole(digest_bytes(content), features, len(mapping_of(example)[SAMPLES]))


def _heard(predictor: TriggerPredictor, blocks: Iterable[Tensor]) -> tuple[Tensor, int]:
    """The features of all places, with quiet around the sound, whose last frame is filled with zeros, and the number of its frames."""
    stream, around = FeatureStream(predictor.backbone), quiet(hop_of(rate_of(predictor.backbone)))
    parts, samples = [stream.feed(around[:BEFORE].flatten())], 0
    for block in blocks:
        parts.append(stream.feed(block))
        samples += len(block)
    parts += [stream.feed(torch.zeros(-samples % around.shape[1])), stream.feed(around[BEFORE:].flatten())]
    return torch.cat([part for part in parts if len(part)]), -(-samples // around.shape[1])
