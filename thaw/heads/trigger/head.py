"""The head of triggers: a detector for each word, with its threshold and its promise."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from thaw.heads.trigger.detector import Detector
from thaw.targets.trigger.events import Scores, events
from thaw.targets.trigger.promise import Promise


@dataclass(frozen=True, eq=False)
class WordDetector:
    """refractory: places between two events; the threshold is that of the promise."""

    word: str
    detector: Detector
    refractory: int
    promise: Promise

    def scores(self, sequence: Tensor) -> Scores:
        """The score of each window, float32 [P - places + 1]; sequence: float32 [P, D]."""
        with torch.inference_mode():
            return np.asarray(self.detector.scores(sequence).numpy(), np.float32)

    def events(self, scores: Scores) -> NDArray[np.int64]:
        """The windows at which the word is reported, rising."""
        return events(scores, self.promise.threshold, self.refractory)


@dataclass(frozen=True, eq=False)
class TriggerHead:
    """At least one detector; the classes are their words."""

    detectors: tuple[WordDetector, ...]

    @property
    def class_names(self) -> tuple[str, ...]:
        """The words, in the order of the scores."""
        return tuple(each.word for each in self.detectors)

    @property
    def thresholds(self) -> Scores:
        """float32 [C]; a word is heard where its highest score is above its own."""
        return np.array([each.promise.threshold for each in self.detectors], np.float32)

    def scores(self, sequence: Tensor) -> list[Scores]:
        """The scores of each word."""
        return [each.scores(sequence) for each in self.detectors]
