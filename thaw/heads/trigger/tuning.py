"""The fit of a word's detector on sequences, and of its threshold on recordings that it was not trained on."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from thaw.foundation.errors import BadManifest
from thaw.heads.trigger.fitting import DetectorSettings, fit_detector
from thaw.heads.trigger.head import WordDetector
from thaw.targets.trigger.events import Background, ScoredRecording
from thaw.targets.trigger.promise import Budget, promise


@dataclass(frozen=True, eq=False)
class HeardRecording:
    """A recording as the network hears it. sequence: float32 [P, D]. words: the triggers that it shows. group: see `ScoredRecording`. end: the
    place at which its speech ends. noisy: the same in noise, for training."""

    sequence: Tensor
    hours: float
    group: str
    words: tuple[str, ...]
    end: int
    noisy: tuple[Tensor, ...] = ()

    @property
    def versions(self) -> tuple[Tensor, ...]:
        """What trains."""
        return (self.sequence, *self.noisy)


def fit_word(
    word: str,
    train: Sequence[HeardRecording],
    val: Sequence[HeardRecording],
    *,
    settings: DetectorSettings,
    refractory: int,
    budget: Budget,
) -> WordDetector:
    """Fit a detector on `train`, and tune its threshold on the recordings of `val` without the word.

    Raises:
        BadManifest: `train` has no recording with the word or none without it, or `val` has none without it.
    """
    clips = [each for each in train if word in each.words]
    others = [version for each in train if word not in each.words for version in each.versions]
    tuning = [each for each in val if word not in each.words]
    if not clips or not others:
        raise BadManifest(
            f"{word}: {len(clips)} training recordings show it, and {len(others)} do not; a detector needs both"
        )
    if not tuning:
        raise BadManifest(
            f"{word}: its threshold is tuned on validation recordings without it, and there are none; raise dataset.splits.val, or put some into val"
        )
    detector = fit_detector([clip.versions for clip in clips], others, settings, [clip.end for clip in clips])
    untuned = [ScoredRecording(detector.scores(each.sequence).numpy(), each.hours, each.group) for each in tuning]
    return WordDetector(word, detector, refractory, promise(Background(untuned, refractory), budget))
