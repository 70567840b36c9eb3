"""The transfer certificate, which the stage `compare` writes on request."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from tasks.project.local_state import ACTIVATIONS, CHECKPOINTS, CONTESTS
from tasks.project.paths import CERTIFICATE, FEATURES, FEATURES_INDEX, MANIFEST, STRATEGY
from tasks.project.progress import counted
from thaw.backbones.backbone import Backbone, read_backbone
from thaw.backbones.blocks import blocks_of
from thaw.backbones.text_towers import JOINT
from thaw.dataset.groups import groups_of
from thaw.dataset.manifest import TEST, Example, Manifest, read_manifest
from thaw.dataset.places import places_of, references_of
from thaw.dataset.selection import class_names_of, examples_of, training_examples, validation_examples
from thaw.features.store.store import FeatureIndex, FeatureStore, Layer, read_index, read_views
from thaw.finetuning.fitting import Desk
from thaw.finetuning.labelled_examples import read_labelled_inputs
from thaw.finetuning.low_rank import can_adapt
from thaw.finetuning.work_clock import work_clock
from thaw.foundation.errors import BadManifest
from thaw.foundation.files.atomic import digest_bytes, digest_file
from thaw.heads.class_texts import class_texts
from thaw.kinds.batches import Batch, taken
from thaw.kinds.kind import IDENTITY
from thaw.kinds.plain import plain_features
from thaw.kinds.prepared import read_examples
from thaw.kinds.views import expand_views
from thaw.models.prediction.plain import unfitted_plain
from thaw.models.prices import Price, price_models
from thaw.params.sections import Params
from thaw.params.values.resampling import resampling_of
from thaw.params.values.strategy import ZERO_SHOT, Strategy, read_strategy
from thaw.strategies.baselines.learners import Inputs
from thaw.strategies.baselines.transfer_gain import Draw
from thaw.strategies.certificate.competitors import Arena, build_baselines, build_competitor
from thaw.strategies.certificate.contest import Competitor, Skipped, hold_contest
from thaw.strategies.certificate.record import Certificate, Terms, certify, write_certificate
from thaw.targets.supports import require
from thaw.targets.target import Target, target_of

log = logging.getLogger(__name__)

SPEED_BATCH = 32


def write_certified(params: Params) -> None:
    """Read everything, let every strategy learn from the same draws, write `data/certificate.json`."""
    certificate = compare(params, read_manifest(MANIFEST), read_index(FEATURES_INDEX))
    write_certificate(certificate, CERTIFICATE)
    for ruling in certificate.rulings:
        log.info("%s over %s: %s", certificate.strategy, ruling.over, ruling.verdict)


def compare(params: Params, manifest: Manifest, index: FeatureIndex) -> Certificate:
    """Hold the contest and make its certificate.

    Raises:
        BadManifest: there is no labelled test example.
    """
    require(target_of(manifest), "pooled_features", f"compare.strategies: {', '.join(params.compare.strategies)} given")
    pool, val, test = (
        training_examples(manifest, None),
        validation_examples(manifest),
        examples_of(manifest, TEST),
    )
    if not test:
        raise BadManifest(
            "there is no labelled test example; raise dataset.splits.test, or put some into a folder `test`"
        )
    names, strategy, target = class_names_of(pool), read_strategy(STRATEGY), target_of(manifest)
    backbone = read_backbone(params.backbone, manifest.decoding)
    arena = _arena(params, index, target, names, (pool, val, test), backbone=backbone)
    competitors = [*_strategies(params, arena), *build_baselines(arena)]
    draws = _draws(params, manifest, pool, names)
    keep = CONTESTS / _key(params)
    with counted("compare", "trainings") as progress:
        outcome = hold_contest(
            competitors,
            draws,
            minutes=params.compare.minutes,
            keep=keep,
            progress=progress,
            clock=work_clock(params.finetune),
        )
    outcome = replace(outcome, skipped=(*_impossible(params, arena), *outcome.skipped))
    arena.desk.clear()
    redrawn = any(not torch.equal(draw.rows, draws[0].rows) for draw in draws)
    seeds = tuple(draw.seed for draw in draws)
    terms = Terms(_name(strategy), len(draws[0].rows), seeds, redrawn, groups_of(test))
    return certify(competitors, outcome, target.encode(test, names), terms, resampling_of(params.statistics))


def _strategies(params: Params, arena: Arena) -> list[Competitor]:
    """The strategies as competitors; the linear head comes first, because the others are measured against it."""
    wanted = dict.fromkeys(("linear", *params.compare.strategies))
    absent, blocks = {each.name for each in _impossible(params, arena)}, params.strategy.blocks
    return [
        build_competitor(arena, Strategy(kind, arena.last, blocks if kind == "last_blocks" else None))
        for kind in wanted
        if kind not in absent
    ]


def _impossible(params: Params, arena: Arena) -> tuple[Skipped, ...]:
    """The requested strategies that this backbone does not allow."""
    reasons = {}
    if len(arena.features) == 1:
        reasons["cut"] = "features of one layer are cached; set backbone.layers to [blocks]"
    if arena.texts is None:
        reasons[str(ZERO_SHOT)] = f"the backbone has no text tower, or no features of its layer {JOINT} are cached"
    model, lora = arena.backbone.model, params.finetune.lora
    if not can_adapt(model, blocks_of(model), lora):
        reasons["lora"] = f"the network has no layer that adapters of rank {lora.rank} make smaller"
    return tuple(Skipped(kind, why) for kind, why in reasons.items() if kind in params.compare.strategies)


def _arena(
    params: Params,
    index: FeatureIndex,
    target: Target,
    names: tuple[str, ...],
    splits: tuple[Sequence[Example], Sequence[Example], Sequence[Example]],
    *,
    backbone: Backbone,
) -> Arena:
    pool, val, test = splits
    store = FeatureStore(FEATURES)
    layers = [layer for layer in index.layers if layer.view == IDENTITY]

    def read(layer: Layer, examples: Sequence[Example]) -> torch.Tensor:
        return read_views(store, [layer], examples)[:, 0]

    def inputs(layer: Layer) -> Inputs[torch.Tensor]:
        views = [index.layer(layer.name, view) for view in expand_views(params.head.views, backbone.kind)]
        return Inputs(read_views(store, views, pool), read(layer, val) if val else None, read(layer, test))

    examples = read_labelled_inputs(pool, names, target, params, backbone.preprocessing)
    batch = examples.batch(torch.arange(min(SPEED_BATCH, len(examples))))
    plain, plain_price = _plain(params, splits, backbone, len(names))
    found = class_texts(params, names, backbone.words) if ZERO_SHOT in params.compare.strategies else None
    return Arena(
        backbone=backbone,
        features={layer.name: inputs(layer) for layer in layers},
        train=examples,
        val=read_labelled_inputs(val, names, target, params, backbone.preprocessing) if val else None,
        test=read_labelled_inputs(test, names, target, params, backbone.preprocessing).inputs,
        head=params.head,
        finetune=params.finetune,
        desk=Desk(CHECKPOINTS / "compare", FeatureStore(ACTIVATIONS)),
        price=price_models(backbone, [layer.name for layer in layers], batch, len(names), params.head.hidden),
        plain=plain,
        plain_price=plain_price,
        texts=found[0] if found is not None and JOINT in {layer.name for layer in layers} else None,
    )


def _plain(
    params: Params,
    splits: tuple[Sequence[Example], Sequence[Example], Sequence[Example]],
    backbone: Backbone,
    classes: int,
) -> tuple[Inputs[torch.Tensor], Price]:
    """The plain features of each split, and the price of a model on them."""
    preprocessing, places = backbone.kind.plain_preprocessing(backbone.preprocessing), places_of(params.dataset)
    pool, val, test = splits

    def read(examples: Sequence[Example]) -> Batch:
        return read_examples(references_of(examples, places), preprocessing, params.dataset.limits)

    batch = read(pool)
    features = plain_features(batch, preprocessing)
    network = unfitted_plain(features, classes, preprocessing)
    some = taken(batch, torch.arange(min(SPEED_BATCH, len(pool))))
    price = price_models(network, network.layers, some, classes, params.head.hidden)
    others = [plain_features(read(each), preprocessing) if each else None for each in (val, test)]
    assert others[1] is not None
    return Inputs(features, others[0], others[1]), price(Strategy("linear", network.layers[-1]))


def _draws(params: Params, manifest: Manifest, pool: Sequence[Example], names: tuple[str, ...]) -> list[Draw]:
    row = {example.digest: number for number, example in enumerate(pool)}
    draws = []
    for seed in range(params.compare.seeds):
        drawn = training_examples(manifest, params.dataset.labels_per_class, seed)
        rows = torch.tensor([row[example.digest] for example in drawn])
        draws.append(Draw(seed, rows, target_of(manifest).encode(drawn, names)))
    return draws


def _name(strategy: Strategy) -> str:
    """The name of a strategy's competitor; the cut layer may differ between draws, so it is not named."""
    return "cut" if strategy.kind == "cut" else str(strategy)


def _key(params: Params) -> str:
    """A hash of everything that a trial depends on, except its competitor and its draw, so that trials of other inputs are never used."""
    files = [MANIFEST, FEATURES_INDEX, Path(params.backbone.weights)]
    sections = [params.dataset, params.backbone, params.head, params.finetune, params.strategy.blocks]
    described = [digest_file(path).hex() for path in files] + [repr(section) for section in sections]
    described += [repr(params.strategy.prompts)] if params.strategy.prompts else []
    return digest_bytes("\n".join(described).encode()).hex()[:32]
