"""The advice on triggers: the number of new layers that later stages train."""

import logging

from tasks.project.paths import ADVICE, ADVICE_PAGE, PREDICTED, STRATEGY
from tasks.project.progress import counted
from tasks.stages.heard_recordings import read_heard, sequences_of
from tasks.stages.trigger_head import places_in, settings_of
from thaw.dataset.manifest import Manifest
from thaw.dataset.selection import class_names_of, training_examples
from thaw.features.store.store import FeatureIndex, SequenceLayer
from thaw.foundation.errors import BadParameters
from thaw.foundation.files.atomic import replaced_folder, write_text
from thaw.foundation.statistics.bootstrap import Resampling
from thaw.params.sections import Params
from thaw.params.values.strategy import Strategy, write_strategy
from thaw.strategies.advice.record import write_predicted
from thaw.strategies.triggers.layers import Layers, Measurement, Trial, better_layers, measure_layers
from thaw.strategies.triggers.page import render_trigger_advice
from thaw.strategies.triggers.record import TITLES, TriggerAdvice, verdict, write_trigger_advice
from thaw.targets.supports import require
from thaw.targets.target import target_of

log = logging.getLogger(__name__)

RESAMPLING = Resampling(2000)
BOTH: tuple[Layers, ...] = ("linear", "mlp")


def write_advice_on_triggers(params: Params, manifest: Manifest, index: FeatureIndex) -> None:
    """Measure where the parameters leave the choice, and write the advice; the decision, which later stages follow, comes last."""
    check_strategy(params, manifest)
    advice = _advise(params, manifest, sequences_of(index))
    with replaced_folder(ADVICE_PAGE) as page:
        write_text(page / "advice.html", render_trigger_advice(advice, params.registry.name))
    write_trigger_advice(advice, ADVICE)
    write_predicted(None, PREDICTED)
    write_strategy(advice.followed, STRATEGY)
    log.info("%s", verdict(advice))


def check_strategy(params: Params, manifest: Manifest) -> None:
    """Refuse strategies that a trigger does not have.

    Raises:
        BadParameters: the parameters ask for one.
    """
    target, strategy = target_of(manifest), params.strategy
    if strategy.kind not in ("auto", *BOTH):
        require(target, "pooled_features", f"strategy.kind: {strategy.kind} given")
    if strategy.layer is not None and strategy.layer != params.backbone.layers[-1]:
        raise BadParameters(
            f"strategy.layer: {strategy.layer} given, and a trigger is heard in the last layer of backbone.layers; set it to null"
        )


def _advise(params: Params, manifest: Manifest, layer: SequenceLayer) -> TriggerAdvice:
    asked, rate = params.strategy.kind, params.trigger.false_accepts_per_hour
    if asked != "auto":
        return TriggerAdvice((), rate, Strategy(asked, layer.name), "strategy.kind asks for it", automatic=False)
    rows = training_examples(manifest, params.dataset.labels_per_class)
    settings = {kind: settings_of(params, Strategy(kind, layer.name), layer) for kind in BOTH}
    measurement = Measurement(rate, places_in(params.trigger.refractory_s, layer), RESAMPLING)
    with counted("advise", "fits") as progress:
        trials = measure_layers(class_names_of(rows), read_heard(rows, layer), settings, measurement, progress)
    better = better_layers(trials)
    return TriggerAdvice(trials, rate, Strategy(better, layer.name), _reason(trials, better), automatic=True)


def _reason(trials: tuple[Trial, ...], better: Layers) -> str:
    if not trials:
        return "there are too few groups of recordings to compare it with one new layer"
    other = next(kind for kind in BOTH if kind != better)
    means = [
        sum(own) / len(own)
        for own in ([trial.misses.value for trial in trials if trial.layers == kind] for kind in (better, other))
    ]
    return f"on held-out recordings it misses {100 * means[0]:.1f} % on average over the triggers, and {TITLES[other]} {100 * means[1]:.1f} %"
