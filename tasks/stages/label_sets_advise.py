"""The stage `advise` on label sets: at which layer the head sits."""

import logging
from collections.abc import Sequence

from tasks.project.paths import ADVICE, ADVICE_PAGE, PREDICTED, STRATEGY
from tasks.project.progress import counted
from tasks.stages.labelled_features import read_labelled
from thaw.dataset.manifest import Manifest
from thaw.dataset.selection import class_names_of, training_examples, validation_examples
from thaw.features.store.store import FeatureIndex, Layer
from thaw.foundation.files.atomic import write_text
from thaw.foundation.statistics.bootstrap import FloatArray
from thaw.heads.fitting import held_out_losses
from thaw.kinds.views import IDENTITY
from thaw.params.sections import Params
from thaw.params.strategy import write_strategy
from thaw.strategies.advice.label_sets import (
    advise_by_depth,
    advise_on_sets,
    render_label_set_advice,
    write_label_set_advice,
)
from thaw.strategies.advice.record import write_predicted
from thaw.targets.target import target_of

log = logging.getLogger(__name__)


def advise_sets(params: Params, manifest: Manifest, index: FeatureIndex) -> None:
    """Write `data/advice.json`, the page and the decision.

    Raises:
        BadParameters: see `thaw.strategies.advice.label_sets.advise_on_sets`.
    """
    layers = [layer for layer in index.layers if layer.view == IDENTITY]
    advice = advise_on_sets(params.strategy, [layer.name for layer in layers])
    if params.strategy.kind == "auto" and params.strategy.layer is None and len(layers) > 1:
        losses = _losses(params, manifest, layers)
        advice = advise_by_depth(losses) if losses else advice
    write_text(ADVICE_PAGE / "advice.html", render_label_set_advice(advice, params.registry.name))
    write_label_set_advice(advice, ADVICE)
    write_predicted(None, PREDICTED)
    write_strategy(advice.strategy, STRATEGY)
    log.info("strategy: %s; %s", advice.strategy, advice.reason)


def _losses(params: Params, manifest: Manifest, layers: Sequence[Layer]) -> dict[str, FloatArray]:
    """The held-out losses of a head on each layer; empty where nothing can be held out."""
    rows, held_out = training_examples(manifest, params.dataset.labels_per_class), validation_examples(manifest)
    target = target_of(manifest)
    names, by_layer = class_names_of(rows), {}
    with counted("advise", "layers") as progress:
        for number, layer in enumerate(layers, start=1):
            val = read_labelled(held_out, names, [layer], target) if held_out else None
            losses = held_out_losses(read_labelled(rows, names, [layer], target), val, params.head)
            if losses is not None:
                by_layer[layer.name] = losses.numpy()
            progress(number, len(layers))
    return by_layer
