"""What is known of a trigger model whose clips all train it: each clip is scored by a detector like it, which is trained without the clip's group."""

from collections.abc import Iterator

import torch

from thaw.foundation.parallel.progress import Progress, untold
from thaw.heads.trigger.detector import Detector
from thaw.heads.trigger.fitting import DetectorSettings, fit_detector
from thaw.models.listening.material import HeardClip, Material
from thaw.models.listening.training import scored_recordings
from thaw.models.listening.trigger_model import TriggerModel
from thaw.targets.one_label.folds import assign_folds
from thaw.targets.trigger.evidence import Evidence, Parting, Scored, Trial, background_of
from thaw.targets.trigger.promise import promise

FOLDS = 4


def cross_validate(
    model: TriggerModel, material: Material, *, settings: DetectorSettings, progress: Progress = untold
) -> Evidence:
    """The evidence; settings: those of the model. progress: counts folds.

    A fold holds whole groups of clips; clips of one group are parted by clip. A single clip is not measured, so there is no trial.
    """
    parted: Parting = "groups" if len({clip.sound.group for clip in material.clips}) > 1 else "clips"
    held = folds_of(material, parted, settings.seed)
    trials = []
    for number, fold in enumerate(held, 1):
        trials.append(_trial(model, material, fold, settings))
        progress(number, len(held))
    return Evidence(
        word=model.word,
        promise=model.promise,
        refractory=model.refractory,
        others=scored_recordings(model.detector, material),
        unheard=False,
        trials=tuple(trials),
        parted=parted,
    )


def folds_of(material: Material, parted: Parting, seed: int) -> list[list[int]]:
    """The numbers of the clips that each fold holds out; empty for a single clip."""
    names = [clip.sound.group if parted == "groups" else str(place) for place, clip in enumerate(material.clips)]
    if len(set(names)) < 2:
        return []
    order = sorted(set(names))
    groups = torch.tensor([order.index(name) for name in names])
    folds = min(FOLDS, len(order))
    dealt = assign_folds(torch.zeros(len(names), dtype=torch.int64), folds=folds, seed=seed, groups=groups)
    return [(dealt == fold).nonzero()[:, 0].tolist() for fold in range(folds)]


def _trial(model: TriggerModel, material: Material, held: list[int], settings: DetectorSettings) -> Trial:
    training = [clip for place, clip in enumerate(material.clips) if place not in held]
    detector = fit_detector(
        [clip.training for clip in training], material.negatives, settings, [clip.end for clip in training]
    )
    background = background_of(scored_recordings(detector, material), model.refractory)
    clips = [each for place in held for each in _scored(model.word, detector, material.clips[place], material)]
    return Trial(promise(background, model.promise.budget).threshold, tuple(clips), background)


def _scored(word: str, detector: Detector, clip: HeardClip, material: Material) -> Iterator[Scored]:
    """In each ratio of noise."""
    for snr, features in clip.measured.items():
        yield Scored(
            path=clip.sound.name,
            group=clip.sound.group,
            word=word,
            hours=material.hours(clip.sound),
            scores=detector.scores(features).numpy(),
            first_s=material.window_s(detector.places) - material.before_s,
            period_s=material.period_s,
            snr=snr,
            file=clip.sound.file,
        )
