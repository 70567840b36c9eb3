"""Labels of recordings by detectors that did not learn from them: false accepts, misses, and labels that look wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from thaw.foundation.errors import BadManifest
from thaw.heads.trigger.fitting import DetectorSettings, fit_detector
from thaw.heads.trigger.held_out import held_out_scores
from thaw.heads.trigger.tuning import HeardRecording
from thaw.review.suspects import Judged
from thaw.targets.target import Target
from thaw.targets.trigger.events import Scores


@dataclass(frozen=True, eq=False)
class HeardJudge:
    """A judge of recordings by the highest scores of detectors, calibrated on held-out recordings; see `thaw.review.listing.Judge`.

    first_s: where the first window of a recording ends, in its seconds. period_s: between two windows.
    """

    recordings: Sequence[HeardRecording]
    settings: DetectorSettings
    target: Target
    first_s: float
    period_s: float

    def __call__(self, learning: Sequence[int], test: Sequence[int], class_names: tuple[str, ...]) -> Judged:
        """Judge recordings by their numbers.

        Raises:
            BadManifest: the recordings with some word, or those without it, are of fewer than two groups.
        """
        own, others = ([self.recordings[number] for number in numbers] for numbers in (learning, test))
        scores = [self._held_out(word, own) for word in class_names]
        peaks = _peaks(scores)
        shown = torch.tensor([[word in each.words for word in class_names] for each in own])
        calibration = self.target.calibrate(peaks, shown)
        tested = [self._scores(word, own, others) for word in class_names]

        def probabilities(logits: Tensor) -> Tensor:
            shifts = 0.0 if calibration.shifts is None else calibration.shifts
            return self.target.probabilities(logits / calibration.temperature + shifts)

        return Judged(
            None,
            probabilities(peaks),
            torch.ones(len(own), dtype=torch.bool),
            probabilities(_peaks(tested)),
            (self._moments(scores), self._moments(tested)),
        )

    def _held_out(self, word: str, recordings: Sequence[HeardRecording]) -> Sequence[Scores]:
        scores = held_out_scores(word, recordings, self.settings)
        if scores is None:
            raise BadManifest(
                f"{word}: labels are judged by detectors that did not learn from their groups, and the recordings with it, or those without it, are of "
                "fewer than two groups; add some of another speaker, or name the groups in the column group"
            )
        return scores

    def _scores(
        self, word: str, learning: Sequence[HeardRecording], test: Sequence[HeardRecording]
    ) -> Sequence[Scores]:
        if not test:
            return ()
        clips = [each for each in learning if word in each.words]
        others = [version for each in learning if word not in each.words for version in each.versions]
        detector = fit_detector([each.versions for each in clips], others, self.settings, [each.end for each in clips])
        return [detector.scores(each.sequence).numpy() for each in test]

    def _moments(self, scores: Sequence[Sequence[Scores]]) -> Tensor:
        """Where the windows of the highest scores end, in seconds of the recordings: float32 [N, C]."""
        places = torch.tensor([[int(each.argmax()) for each in own] for own in scores], dtype=torch.float32)
        return (self.first_s + self.period_s * places).clamp(min=0).T


def _peaks(scores: Sequence[Sequence[Scores]]) -> Tensor:
    """The highest scores of each recording, float32 [N, C]; scores: by word, then by recording."""
    return torch.tensor([[float(each.max()) for each in own] for own in scores]).T
