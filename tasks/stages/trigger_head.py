"""The head of triggers: a detector for each word, fitted on cached sequences, its threshold tuned on validation."""

import logging
from collections.abc import Sequence

from tasks.project.paths import HEAD
from tasks.project.progress import counted
from tasks.stages.heard_recordings import read_heard, read_training, sequences_of
from thaw.dataset.manifest import Manifest
from thaw.dataset.selection import class_names_of, training_examples, validation_examples
from thaw.features.sequences.plan import plan_of
from thaw.features.store.store import FeatureIndex, SequenceLayer
from thaw.foundation.files.atomic import replaced_folder
from thaw.heads.trial_table import write_trials
from thaw.heads.trigger.fitting import DetectorSettings
from thaw.heads.trigger.head import TriggerHead, WordDetector
from thaw.heads.trigger.storage import write_trigger_head
from thaw.heads.trigger.tuning import HeardRecording, fit_word
from thaw.params.sections import Params
from thaw.params.values.strategy import Strategy
from thaw.targets.trigger.promise import Budget

log = logging.getLogger(__name__)


def write_fitted(params: Params, manifest: Manifest, index: FeatureIndex, strategy: Strategy) -> None:
    """Fit a detector for each word, write `data/head/`, and say what is promised."""
    layer = sequences_of(index)
    rows = training_examples(manifest, params.dataset.labels_per_class)
    train = read_training(rows, index, plan_of(manifest, params.trigger.noise))
    val = read_heard(validation_examples(manifest), layer)
    words = class_names_of(rows)
    detectors = []
    with counted("head", "words") as progress:
        for number, word in enumerate(words, 1):
            detectors.append(
                fit_word(
                    word,
                    train,
                    val,
                    settings=settings_of(params, strategy, layer),
                    refractory=places_in(params.trigger.refractory_s, layer),
                    budget=budget_of(params),
                )
            )
            progress(number, len(words))
    with replaced_folder(HEAD) as folder:
        write_trigger_head(TriggerHead(tuple(detectors)), folder)
        write_trials((), folder / "trials.csv")
    for detector in detectors:
        log.info("%s", describe(detector, train, strategy))


def budget_of(params: Params) -> Budget:
    """The most false accepts an hour."""
    return Budget(params.trigger.false_accepts_per_hour, params.statistics.confidence)


def places_in(seconds: float, layer: SequenceLayer) -> int:
    """The nearest number of places that lie in a time, at least 1."""
    return max(1, round(seconds / layer.period_s))


def settings_of(params: Params, strategy: Strategy, layer: SequenceLayer) -> DetectorSettings:
    """The training of detectors; a window of `trigger.window_s` begins with the first place's sound and ends with the last one's."""
    return DetectorSettings(
        layers="several" if strategy.head == "mlp" else "one",
        places=1 + max(0, round((params.trigger.window_s - layer.window_s) / layer.period_s)),
        seed=params.head.seed,
    )


def describe(detector: WordDetector, train: Sequence[HeardRecording], strategy: Strategy) -> str:
    """One line on a detector and its promise."""
    clips = sum(detector.word in each.words for each in train)
    hours = sum(each.hours for each in train if detector.word not in each.words)
    layers = "several new layers" if strategy.head == "mlp" else "one new layer"
    return (
        f"{detector.word}: {layers} on {clips} recordings with it and {hours:.2g} hours without it; {detector.promise}"
    )
