"""The whole model of triggers, from recordings to events: preprocessing, backbone and detectors in one folder, usable without the pipeline."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from thaw.backbones.backbone import Backbone, read_written_backbone, write_backbone
from thaw.backbones.places import Span
from thaw.features.sequences.network import refuse_unless_local
from thaw.features.sequences.recordings import end_s, sequence_of
from thaw.heads.trigger.head import TriggerHead, WordDetector
from thaw.heads.trigger.storage import read_trigger_head, write_trigger_head
from thaw.kinds.batches import Batch
from thaw.kinds.kind import Limits
from thaw.kinds.prepared import open_reader
from thaw.models.prediction.answer import Answer, HeardAt
from thaw.targets.trigger.events import Scores
from thaw.targets.trigger.target import TRIGGER


@dataclass(frozen=True)
class TriggerPredictor:
    """A frozen backbone whose last layer's places are heard in turn, and a detector for each word."""

    backbone: Backbone
    head: TriggerHead

    @property
    def class_names(self) -> tuple[str, ...]:
        """The words, in the order of the probabilities."""
        return self.head.class_names

    @property
    def answers(self) -> tuple[str, ...]:
        """The names of `Answer.columns`."""
        return (*TRIGGER.answers, "heard", "at_s")

    @cached_property
    def span(self) -> Span:
        """The places of the last layer."""
        return refuse_unless_local(self.backbone)

    def prepare(self, content: bytes, limits: Limits) -> Batch:
        """Prepare a recording's bytes for the backbone, in the same way as the training recordings.

        Raises:
            BadExample: the bytes are no recording, or damaged, or larger than the limits.
        """
        return open_reader(self.backbone.preprocessing, limits).prepare(content)

    def predict(self, examples: Sequence[Batch]) -> Answer:
        """The triggers in recordings, each prepared by `prepare`; a probability is that of the highest score, and it is not calibrated."""
        scores = [self.head.scores(sequence_of(self.backbone, self.span, example)) for example in examples]
        return answer_of(self.head, scores, [self._events(own) for own in scores])

    def at_s(self, detector: WordDetector, window: int) -> float:
        """Where a window ends, in seconds of the recording."""
        return end_s(self.span, window + detector.detector.places - 1)

    def events_in(self, features: Tensor) -> tuple[HeardAt, ...]:
        """The events of a recording with quiet around it, in order; features: float32 [P, D]."""
        return self._events(self.head.scores(features))

    def _events(self, scores: Sequence[Scores]) -> tuple[HeardAt, ...]:
        events = [
            HeardAt(detector.word, self.at_s(detector, int(window)))
            for detector, own in zip(self.head.detectors, scores, strict=True)
            for window in detector.events(own)
        ]
        return tuple(sorted(events, key=lambda event: (event.at_s, event.word)))

    def write(self, folder: Path) -> None:
        """Write the backbone up to its last layer and the detectors as safetensors and JSON."""
        folder.mkdir(parents=True, exist_ok=True)
        write_backbone(self.backbone, folder)
        write_trigger_head(self.head, folder)

    @classmethod
    def read(cls, folder: Path) -> "TriggerPredictor":
        """Read a model of `write`.

        Raises:
            BadArtifact: a file is missing, torn, or not the written one.
        """
        return cls(read_written_backbone(folder), read_trigger_head(folder))


def answer_of(
    head: TriggerHead, scores: Sequence[Sequence[Scores]], events: Sequence[tuple[HeardAt, ...]] | None = None
) -> Answer:
    """The answer for recordings from the scores of each word in each of them; events: of each; None: they are not asked for."""
    peaks = np.array([[peak_of(own) for own in each] for each in scores], np.float32)
    peaks = peaks.reshape(len(scores), len(head.class_names))
    return Answer(
        head.class_names,
        peak_probabilities(peaks),
        peaks > head.thresholds,
        None,
        TRIGGER.name,
        None if events is None else tuple(events),
    )


def peak_of(scores: Scores) -> float:
    """The highest score; minus infinity if there is none."""
    return float(scores.max(initial=-np.inf))


def peak_probabilities(peaks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-odds of highest scores as probabilities, float32 [N, C]."""
    return np.asarray(torch.from_numpy(peaks).sigmoid().numpy(), np.float32)
