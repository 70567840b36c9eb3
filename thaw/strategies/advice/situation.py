"""The inputs of the advice, read from a data set's manifest, its cached features and the backbone."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

import torch

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.backbones.text_towers import JOINT
from thaw.dataset.groups import group_numbers
from thaw.dataset.manifest import TEST, TRAIN, Example, Manifest
from thaw.dataset.places import places_of, references_of
from thaw.dataset.selection import class_names_of, examples_of, training_examples, validation_examples
from thaw.features.store.store import FeatureIndex, FeatureStore
from thaw.heads.class_texts import class_texts
from thaw.kinds.batches import Batch, split, taken
from thaw.kinds.kind import IDENTITY, Preprocessing, Words
from thaw.kinds.plain import plain_features
from thaw.kinds.prepared import read_examples
from thaw.models.prediction.plain import unfitted_plain
from thaw.models.prices import price_models
from thaw.params.sections import Params
from thaw.params.values.strategy import Strategy
from thaw.strategies.advice.advising import PlainFeatures, Situation
from thaw.strategies.advice.cases import PLAIN, RANDOM_BACKBONE
from thaw.strategies.advice.options import Pilot
from thaw.strategies.advice.pool import Pool
from thaw.strategies.advice.size import Size, measure_size
from thaw.strategies.advice.zero_shot import Texts
from thaw.strategies.baselines.learners import BATCH
from thaw.targets.target import target_of

if TYPE_CHECKING:
    from thaw.finetuning.fitting import Desk

MOST_ROWS = 5_000
"""The most rows of train and validation for training and judging; intervals are then a point wide, and the advice takes at most minutes."""
MOST_NEAR = 20_000
"""The most training examples that are searched for near-duplicates."""
REFERENCE_ROWS = 1_000
"""The rows of the pool on which a random backbone is judged, on every machine, and plain features beside it; each costs one forward pass."""
SPEED_BATCH = 16


def read_situation(
    params: Params, manifest: Manifest, index: FeatureIndex, store: FeatureStore, desk: Callable[[], "Desk"]
) -> Situation:
    """The inputs of the advice, from the manifest, the cache and the backbone. With a label budget, validation examples judge and are not trained on.

    store: of the features. desk: of the trials of fine-tuning, if the parameters give them time.
    """
    train = training_examples(manifest, params.dataset.labels_per_class)
    val, class_names = validation_examples(manifest), class_names_of(train)
    rows = (*train, *val)
    target = target_of(manifest)
    every = target.encode(rows, class_names)
    kept = target.sample(every, MOST_ROWS, params.head.seed)
    chosen = [rows[row] for row in kept.tolist()]
    layers = [layer for layer in index.layers if layer.view == IDENTITY]
    digests = [example.digest for example in chosen]
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
        size=_size(manifest, index, train, class_names, store=store),
        price=price,
        pilot=_pilot(params, pool, chosen, backbone, desk),
        labelled=len(rows),
        validation=len(val),
        test=len(examples_of(manifest, TEST)),
        words=backbone.words,
        plain=plain,
        texts=_texts(params, pool, backbone.words),
    )


def _texts(params: Params, pool: Pool, words: Words) -> Texts | None:
    """The head of the names of the classes; None: the backbone has no text tower, or features of its layer are not cached."""
    found = class_texts(params, pool.class_names, words) if JOINT in pool.layers else None
    return None if found is None else Texts(found[0], JOINT, found[1])


def _pilot(
    params: Params, pool: Pool, examples: Sequence[Example], backbone: Backbone, desk: Callable[[], "Desk"]
) -> Pilot | None:
    """The trainer of fine-tuning; None if the parameters give it no time."""
    if not params.strategy.minutes:
        return None
    # Lightning Fabric takes seconds to load.
    from thaw.finetuning.labelled_examples import read_labelled_inputs
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
        desk=desk(),
    )


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


def _size(
    manifest: Manifest,
    index: FeatureIndex,
    train: Sequence[Example],
    class_names: tuple[str, ...],
    *,
    store: FeatureStore,
) -> Size:
    layer, features = index.layer(None), None
    if len(train) <= MOST_NEAR:
        features = store.read(layer.fingerprint, layer.name, [example.digest for example in train])
    copies = len(examples_of(manifest, TRAIN)) - len(training_examples(manifest, None))
    return measure_size(features, target_of(manifest).encode(train, class_names), class_names, copies)


def _read(examples: Sequence[Example], preprocessing: Preprocessing, params: Params) -> Batch:
    references = references_of(examples, places_of(params.dataset))
    return read_examples(references, preprocessing, params.dataset.limits)
