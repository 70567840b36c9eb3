"""A trigger model from clips of the trigger and from recordings without it; the recordings that tune the threshold train nothing."""

from thaw.backbones.backbone import Backbone
from thaw.heads.trigger.detector import Detector
from thaw.heads.trigger.fitting import DetectorSettings, fit_detector
from thaw.models.listening.material import Material, TuningRecording
from thaw.models.listening.trigger_model import TriggerModel
from thaw.targets.trigger.evidence import Scored, background_of
from thaw.targets.trigger.promise import Budget, promise

REFRACTORY_S = 2.0


def train_trigger(
    word: str, backbone: Backbone, material: Material, *, budget: Budget, settings: DetectorSettings
) -> TriggerModel:
    """Train a detector, and tune its threshold on recordings that it was not trained on."""
    detector = fit_detector(
        [clip.training for clip in material.clips], material.negatives, settings, [clip.end for clip in material.clips]
    )
    refractory = refractory_of(material)
    tuning = background_of(scored_recordings(detector, material), refractory)
    return TriggerModel(word, backbone, detector, refractory, promise(tuning, budget))


def scored_recordings(detector: Detector, material: Material) -> tuple[Scored, ...]:
    """The recordings that tune a threshold."""
    return tuple(_scored(detector, each, material) for each in material.tuning)


def refractory_of(material: Material) -> int:
    """The places between two events."""
    return round(REFRACTORY_S / material.period_s)


def _scored(detector: Detector, recording: TuningRecording, material: Material) -> Scored:
    sound = recording.sound
    return Scored(
        path=sound.name,
        group=sound.group,
        word=None,
        hours=material.hours(sound),
        scores=detector.scores(recording.features).numpy(),
        first_s=material.window_s(detector.places),
        period_s=material.period_s,
        file=sound.file,
    )
