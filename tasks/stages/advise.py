"""The stage `advise`: the best strategy for these data, which the later stages follow."""

import logging
import os
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import torch

from tasks.project.entry import stage
from tasks.project.local_state import ACTIVATIONS, ADVICES, CHECKPOINTS
from tasks.project.measurements import forget_others, kept_under
from tasks.project.paths import ADVICE, ADVICE_PAGE, FEATURES, FEATURES_INDEX, MANIFEST, PREDICTED, SETTINGS, STRATEGY
from tasks.project.progress import counted
from tasks.stages.trigger_advice import write_advice_on_triggers
from thaw.backbones.backbone import Backbone, read_backbone
from thaw.dataset.groups import group_numbers
from thaw.dataset.manifest import TEST, TRAIN, Example, Manifest, read_manifest
from thaw.dataset.places import places_of, references_of
from thaw.dataset.selection import class_names_of, examples_of, training_examples, validation_examples
from thaw.features.store.store import FeatureIndex, FeatureStore, read_index
from thaw.foundation.files.atomic import replaced_folder, write_bytes, write_text
from thaw.foundation.files.kept import Kept
from thaw.kinds.batches import Batch, split, taken
from thaw.kinds.kind import IDENTITY, Preprocessing, Words
from thaw.kinds.plain import plain_features
from thaw.kinds.prepared import read_examples
from thaw.models.prediction.plain import unfitted_plain
from thaw.models.prices import price_models
from thaw.params.sections import Params
from thaw.params.values.reading import read_settings
from thaw.params.values.strategy import Strategy, write_strategy
from thaw.strategies.advice.advising import PlainFeatures, Situation, advise
from thaw.strategies.advice.cases import PLAIN, RANDOM_BACKBONE
from thaw.strategies.advice.options import Pilot
from thaw.strategies.advice.page import figure_pngs, render_advice
from thaw.strategies.advice.pool import Pool
from thaw.strategies.advice.record import Advice, write_advice, write_predicted
from thaw.strategies.advice.size import Size, measure_size
from thaw.strategies.advice.words import ranking
from thaw.strategies.baselines.learners import BATCH
from thaw.targets.supports import supports
from thaw.targets.target import target_of

if TYPE_CHECKING:
    from thaw.finetuning.fitting import Desk

log = logging.getLogger(__name__)

MOST_ROWS = 5_000
"""The most rows of train and validation for training and judging; intervals are then a point wide, and the stage takes at most minutes."""
MOST_NEAR = 20_000
"""The most training examples that are searched for near-duplicates."""
REFERENCE_ROWS = 1_000
"""The rows of the pool on which a random backbone is judged, on every machine, and plain features beside it; each costs one forward pass."""
SPEED_BATCH = 16


def main() -> None:
    """Read the manifest and the cached features, measure, write `data/advice.json`, the page and the decision."""
    params, manifest = read_settings(SETTINGS), read_manifest(MANIFEST)
    if supports(target_of(manifest), "sequences"):
        write_advice_on_triggers(params, manifest, read_index(FEATURES_INDEX))
        return
    situation = read_situation(params, manifest, read_index(FEATURES_INDEX))
    kept, workers = _kept(params), os.cpu_count() or 1
    with counted("advise", "steps") as progress:
        advice = advise(situation, params.strategy, params.head, workers=workers, progress=progress, kept=kept)
    write_all(advice, params.registry.name, situation.words)
    forget_others(kept)
    if situation.pilot is not None:
        _desk().clear()
    log.info("strategy: %s; %s", advice.followed.strategy, advice.followed.reason)
    log.info(ranking(advice, situation.words))


def write_all(advice: Advice, title: str, examples: Words) -> None:
    """Write every file; the decision, which later stages follow, comes last. examples: the words for them."""
    with replaced_folder(ADVICE_PAGE) as page:
        for name, content in figure_pngs(advice, examples):
            write_bytes(page / "figures" / f"{name}.png", content)
        write_text(page / "advice.html", render_advice(advice, title, examples))
    write_advice(advice, ADVICE)
    write_predicted(advice.followed.predicted, PREDICTED)
    write_strategy(advice.followed.strategy, STRATEGY)


def read_situation(params: Params, manifest: Manifest, index: FeatureIndex) -> Situation:
    """The inputs of the advice, from the manifest, the cache and the backbone. With a label budget, validation examples judge and are not trained on."""
    train = training_examples(manifest, params.dataset.labels_per_class)
    val, class_names = validation_examples(manifest), class_names_of(train)
    rows = (*train, *val)
    target = target_of(manifest)
    every = target.encode(rows, class_names)
    kept = target.sample(every, MOST_ROWS, params.head.seed)
    chosen = [rows[row] for row in kept.tolist()]
    layers = [layer for layer in index.layers if layer.view == IDENTITY]
    store, digests = FeatureStore(FEATURES), [example.digest for example in chosen]
    pool = Pool(
        {layer.name: store.read(layer.fingerprint, layer.name, digests) for layer in layers},
        every[kept],
        class_names,
        group_numbers(chosen),
        kept < len(train) if val and params.dataset.labels_per_class else None,
    )
    backbone = read_backbone(params.backbone, manifest.decoding)
    batch = _read(chosen[:SPEED_BATCH], backbone.preprocessing, params)
    price = price_models(backbone, pool.layers, batch, len(class_names), params.head.hidden)
    plain = _plain(pool, chosen, backbone, params)
    return Situation(
        pool=pool,
        references=_references(pool, chosen, backbone, plain.features, params=params),
        size=_size(manifest, index, train, class_names),
        price=price,
        pilot=_pilot(params, pool, chosen, backbone),
        labelled=len(rows),
        validation=len(val),
        test=len(examples_of(manifest, TEST)),
        words=backbone.words,
        plain=plain,
    )


def _pilot(params: Params, pool: Pool, examples: Sequence[Example], backbone: Backbone) -> Pilot | None:
    """The trainer of fine-tuning; None if the parameters give it no time."""
    if not params.strategy.minutes:
        return None
    # Lightning Fabric takes seconds to load.
    from tasks.stages.labelled_inputs import read_labelled_inputs
    from thaw.finetuning.pilot import FinetuningPilot

    last = pool.layers[-1]
    return FinetuningPilot(
        backbone=backbone,
        layer=last,
        examples=cache(
            lambda: read_labelled_inputs(examples, pool.class_names, pool.target, params, backbone.preprocessing)
        ),
        features=pool.labelled(last, torch.arange(len(pool))),
        head=params.head,
        params=params.finetune,
        desk=_desk(),
    )


def _desk() -> "Desk":
    from thaw.finetuning.fitting import Desk

    return Desk(CHECKPOINTS / "advise", FeatureStore(ACTIVATIONS))


def _kept(params: Params) -> Kept:
    """What has been measured on the same inputs. The strategy that is asked for changes the choice alone, and no measurement."""
    strategy = params.strategy
    return kept_under(ADVICES, params, [FEATURES_INDEX], [strategy.repeats, strategy.minutes, params.finetune])


def _plain(pool: Pool, examples: Sequence[Example], backbone: Backbone, params: Params) -> PlainFeatures:
    """The plain features of every example of the pool, and the price of a model on them."""
    preprocessing = backbone.kind.plain_preprocessing(backbone.preprocessing)
    batch = _read(examples, preprocessing, params)
    features = plain_features(batch, preprocessing)
    network = unfitted_plain(features, len(pool.class_names), preprocessing)
    some = taken(batch, torch.arange(min(SPEED_BATCH, len(examples))))
    price = price_models(network, network.layers, some, len(pool.class_names), params.head.hidden)
    return PlainFeatures(features, price(Strategy("linear", network.layers[-1])))


def _references(
    pool: Pool, examples: Sequence[Example], backbone: Backbone, plain: torch.Tensor, *, params: Params
) -> Pool:
    """The pool, or a sample of it, with its plain features and with features of the same network with random weights."""
    last = pool.layers[-1]
    rows = pool.target.sample(pool.targets, REFERENCE_ROWS, params.head.seed)
    batch = _read([examples[row] for row in rows.tolist()], backbone.preprocessing, params)
    random = backbone.only((last,)).randomised(params.head.seed)
    made = {
        PLAIN: plain[rows],
        RANDOM_BACKBONE: torch.cat([random.features(part)[last].clone() for part in split(batch, BATCH)]),
    }
    sample = pool.rows(rows)
    return Pool({**sample.features, **made}, sample.targets, sample.class_names, sample.groups, sample.learns)


def _size(manifest: Manifest, index: FeatureIndex, train: Sequence[Example], class_names: tuple[str, ...]) -> Size:
    layer, features = index.layer(None), None
    if len(train) <= MOST_NEAR:
        features = FeatureStore(FEATURES).read(layer.fingerprint, layer.name, [example.digest for example in train])
    copies = len(examples_of(manifest, TRAIN)) - len(training_examples(manifest, None))
    return measure_size(features, target_of(manifest).encode(train, class_names), class_names, copies)


def _read(examples: Sequence[Example], preprocessing: Preprocessing, params: Params) -> Batch:
    references = references_of(examples, places_of(params.dataset))
    return read_examples(references, preprocessing, params.dataset.limits)


if __name__ == "__main__":
    stage(main)
