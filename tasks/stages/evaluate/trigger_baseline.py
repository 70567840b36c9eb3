"""The same detectors without the backbone, on log-mel spectra: what the transfer is worth."""

from collections.abc import Sequence

import numpy as np

from tasks.project.paths import STRATEGY
from tasks.stages.heard_recordings import read_heard, read_training, sequences_of
from tasks.stages.trigger_head import budget_of, places_in, settings_of
from thaw.dataset.manifest import TEST, Manifest
from thaw.dataset.selection import examples_of, training_examples, validation_examples
from thaw.evaluation.trigger.measures import WithoutNetwork
from thaw.features.sequences.plan import plan_of
from thaw.features.store.hearing import Hearing
from thaw.features.store.store import FeatureIndex
from thaw.heads.trigger.head import WordDetector
from thaw.heads.trigger.tuning import fit_word
from thaw.models.prediction.trigger_predictor import peak_of
from thaw.params.sections import Params
from thaw.params.values.resampling import resampling_of
from thaw.params.values.strategy import read_strategy
from thaw.targets.trigger.evidence import Scored
from thaw.targets.trigger.misses import miss_difference, miss_rate


def without_network(
    model: WordDetector, clips: Sequence[Scored], params: Params, manifest: Manifest, index: FeatureIndex
) -> WithoutNetwork:
    """Fit the word's detector on spectra, tune it on the same validation recordings to the same budget, and let it judge the test clips of the word.

    clips: by the model, in the order of the manifest.
    """
    word = model.word
    layer = sequences_of(index, Hearing(plain=True))
    train = training_examples(manifest, params.dataset.labels_per_class)
    fitted = fit_word(
        word,
        read_training(train, index, plan_of(manifest, params.trigger.noise), plain=True),
        read_heard(validation_examples(manifest), layer),
        settings=settings_of(params, read_strategy(STRATEGY), layer),
        refractory=places_in(params.trigger.refractory_s, layer),
        budget=budget_of(params),
    )
    heard = read_heard([row for row in examples_of(manifest, TEST) if word in (row.names or ())], layer)
    peaks = np.array([peak_of(fitted.detector.scores(each.sequence).numpy()) for each in heard], np.float32)
    groups, resampling = [clip.group for clip in clips], resampling_of(params.statistics)
    missed = np.array([clip.peak <= model.promise.threshold for clip in clips])
    return WithoutNetwork(
        miss_rate(peaks, fitted.promise.threshold, groups, resampling),
        miss_difference(missed, peaks <= fitted.promise.threshold, groups, resampling),
    )
