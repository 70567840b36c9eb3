"""The advice on triggers: the number of new layers that later stages train."""

import logging
from dataclasses import replace

from tasks.project.paths import ADVICE, ADVICE_PAGE, PREDICTED, STRATEGY
from tasks.project.progress import counted
from tasks.stages.heard_recordings import read_training, sequences_of
from tasks.stages.trigger_head import places_in, settings_of
from thaw.dataset.manifest import Manifest
from thaw.dataset.selection import class_names_of, training_examples
from thaw.features.sequences.plan import plan_of
from thaw.features.store.hearing import Hearing
from thaw.features.store.store import FeatureIndex
from thaw.foundation.errors import BadParameters
from thaw.foundation.files.atomic import replaced_folder, write_text
from thaw.foundation.statistics.bootstrap import Resampling
from thaw.pages.layout import percent
from thaw.params.sections import Params
from thaw.params.values.strategy import Strategy, write_strategy
from thaw.strategies.advice.record import write_predicted
from thaw.strategies.triggers.layers import Layers, Measurement, Trial, better_layers, mean_misses, measure_layers
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
    advice = _advise(params, manifest, index)
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


def _advise(params: Params, manifest: Manifest, index: FeatureIndex) -> TriggerAdvice:
    asked, rate, name = params.strategy.kind, params.trigger.false_accepts_per_hour, sequences_of(index).name
    if asked != "auto":
        return TriggerAdvice((), rate, Strategy(asked, name), "strategy.kind asks for it", automatic=False)
    trials = (*_trials(params, manifest, index, plain=False), *_trials(params, manifest, index, plain=True))
    better = better_layers(trials)
    return TriggerAdvice(trials, rate, Strategy(better, name), _reason(trials, better), automatic=True)


def _trials(params: Params, manifest: Manifest, index: FeatureIndex, *, plain: bool) -> tuple[Trial, ...]:
    """plain: on spectra, without the backbone."""
    layer = sequences_of(index, Hearing(plain))
    rows = training_examples(manifest, params.dataset.labels_per_class)
    heard = read_training(rows, index, plan_of(manifest, params.trigger.noise), plain=plain)
    settings = {kind: settings_of(params, Strategy(kind, layer.name), layer) for kind in BOTH}
    measurement = Measurement(
        params.trigger.false_accepts_per_hour, places_in(params.trigger.refractory_s, layer), RESAMPLING
    )
    with counted("advise", "fits") as progress:
        trials = measure_layers(class_names_of(rows), heard, settings, measurement, progress)
    return tuple(replace(trial, plain=plain) for trial in trials)


def _reason(trials: tuple[Trial, ...], better: Layers) -> str:
    if not trials:
        return "there are too few groups of recordings to compare it with one new layer"
    other = next(kind for kind in BOTH if kind != better)
    means, without = mean_misses(trials, plain=False), min(mean_misses(trials, plain=True).values())
    return (
        f"on held-out recordings it misses {percent(means[better])} on average over the triggers, {TITLES[other]} {percent(means[other])}, "
        f"and the better of both without the network {percent(without)}"
    )
