"""The request `thaw rank`: features of the training examples by several backbones, and their ranking. It is no stage; a person asks for it."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from tasks.project.local_state import CACHE_LOCK, NETWORKS
from tasks.project.paths import FEATURES, MANIFEST, WEIGHTS
from thaw.backbones.backbone import Backbone, read_backbone
from thaw.backbones.official_weights import fetch_weights, weights_of
from thaw.dataset.groups import group_numbers
from thaw.dataset.manifest import Example, Manifest, build_manifest, read_manifest
from thaw.dataset.places import places_of, references_of
from thaw.dataset.selection import class_names_of, training_examples, validation_examples
from thaw.features.extraction.extraction import Aids, Extraction, extract
from thaw.features.store.store import FeatureStore
from thaw.foundation.errors import BadArtifact, BadParameters, BadWeights, OutOfMemory, ThawError, Unreachable
from thaw.foundation.files.shared_lock import adding
from thaw.foundation.parallel.progress import Progress, untold
from thaw.kinds.batches import taken
from thaw.kinds.plain import plain_features
from thaw.kinds.prepared import read_examples
from thaw.models.prediction.plain import unfitted_plain
from thaw.models.prices import Price, price_models
from thaw.params.sections import Params
from thaw.params.values.reading import read_params
from thaw.params.values.strategy import PLAIN, Strategy
from thaw.strategies.advice.out_of_fold import Fitting
from thaw.strategies.backbone_ranking import Entrant, Judges, Ranking, Unranked, rank_backbones, write_ranking
from thaw.targets.supports import require
from thaw.targets.target import target_of, target_of_targets

RANKING = Path("data/ranking.json")
MOST_ROWS = 5_000
"""The most rows of train and validation that take part; intervals are then a point wide."""
SPEED_BATCH = 16
ITS_OWN_FAULT = (BadWeights, BadParameters, BadArtifact, Unreachable, OutOfMemory)
"""The errors that exclude one backbone from the ranking, and no other."""


@dataclass(frozen=True, eq=False)
class _Field:
    """The rows that every backbone is judged on."""

    examples: tuple[Example, ...]
    judges: Judges
    labelled: int
    kind: str
    decoding: str | None


def rank(names: Sequence[str], progress: Progress = untold) -> Ranking:
    """Rank backbones by name (`thaw.backbones.official_weights.weights_of`), and the model without a backbone, and write `data/ranking.json`.

    A backbone that cannot be used is reported, and the ranking continues with the others.

    Features go to the pipeline's store, so the chosen backbone has them there. The test examples are not used. progress counts examples.

    Raises:
        BadParameters: there are fewer than two names, or the labels are those of triggers.
        BadWeights: no backbone could be used.
        BadArtifact, BadManifest: there is no manifest, or no example to judge on.
    """
    wanted = tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
    if len(wanted) < 2:
        raise BadParameters("--backbones: a ranking needs two backbones or more, such as resnet18,mobilenet_v2")
    params = read_params()
    field = _field(params, read_manifest(MANIFEST))
    entrants: list[Entrant] = []
    unranked: list[Unranked] = []
    with adding(CACHE_LOCK):
        for number, name in enumerate(wanted):
            part = _Part(progress, number, len(wanted), len(field.examples))
            try:
                entrants.append(_enter(name, field, params, part))
            except ITS_OWN_FAULT as error:
                unranked.append(Unranked(name, str(error)))
            part.done()
    if not entrants:
        raise _none_left(unranked)
    entrants.append(_plain(field, params))
    fitting = Fitting(params.head, os.cpu_count() or 1)
    rows, ranked = rank_backbones(entrants, field.judges, fitting, params.strategy.repeats)
    ranking = Ranking(
        rows=rows,
        labelled=field.labelled,
        folds=params.head.folds,
        repeats=params.strategy.repeats,
        confidence=0.95,
        backbones=ranked,
        unranked=tuple(unranked),
        target=target_of_targets(field.judges.targets).name,
    )
    write_ranking(ranking, RANKING)
    return ranking


def _none_left(unranked: Sequence[Unranked]) -> ThawError:
    return BadWeights(
        "no backbone could be ranked:\n" + "\n".join(f"  {entry.name}: {entry.reason}" for entry in unranked)
    )


def _field(params: Params, manifest: Manifest) -> _Field:
    """The rows, chosen like those of the advice: with a label budget, validation examples judge and are not trained on."""
    train, val = training_examples(manifest, params.dataset.labels_per_class), validation_examples(manifest)
    rows, names = (*train, *val), class_names_of(train)
    target = target_of(manifest)
    require(target, "pooled_features", "`thaw rank` asked for")
    targets = target.encode(rows, names)
    kept = target.sample(targets, MOST_ROWS, params.head.seed)
    chosen = tuple(rows[row] for row in kept.tolist())
    learns = kept < len(train) if val and params.dataset.labels_per_class else None
    return _Field(
        chosen, Judges(targets[kept], names, group_numbers(chosen), learns), len(rows), manifest.kind, manifest.decoding
    )


def _enter(name: str, field: _Field, params: Params, progress: Progress) -> Entrant:
    weights = weights_of(name)
    if weights.parent == WEIGHTS:
        fetch_weights(weights)
    backbone = read_backbone(
        params.backbone.model_copy(update={"weights": str(weights), "architecture": "auto", "layers": ("auto",)}),
        field.decoding,
    )
    started = time.perf_counter()
    extraction = _extract(backbone, field, params, progress)
    seconds = time.perf_counter() - started
    layer = extraction.index.layer(None)
    digests = [example.digest for example in field.examples]
    return Entrant(
        name=name,
        weights=str(weights),
        architecture=backbone.architecture,
        layer=layer.name,
        features=FeatureStore(FEATURES).read(layer.fingerprint, layer.name, digests),
        price=_price(backbone, field, params),
        computed=extraction.computed,
        seconds=seconds,
    )


def _plain(field: _Field, params: Params) -> Entrant:
    """The model without a backbone, as it stands beside the project's own backbone."""
    own = read_backbone(params.backbone, field.decoding)
    preprocessing = own.kind.plain_preprocessing(own.preprocessing)
    started = time.perf_counter()
    references = references_of(field.examples, places_of(params.dataset))
    batch = read_examples(references, preprocessing, params.dataset.limits)
    features = plain_features(batch, preprocessing)
    seconds = time.perf_counter() - started
    classes = len(field.judges.class_names)
    network = unfitted_plain(features, classes, preprocessing)
    some = taken(batch, torch.arange(min(SPEED_BATCH, len(field.examples))))
    layer = network.layers[-1]
    price = price_models(network, network.layers, some, classes, params.head.hidden)(Strategy("linear", layer))
    return Entrant(own.words.plain, "", PLAIN, layer, features, price, len(field.examples), seconds)


def _extract(backbone: Backbone, field: _Field, params: Params, progress: Progress) -> Extraction:
    """Extract the plain view into this machine's store alone, because features of backbones that are not chosen need not be shared."""
    return extract(
        build_manifest(field.examples, field.kind, field.decoding),
        places_of(params.dataset),
        backbone,
        FeatureStore(FEATURES),
        params.extract.model_copy(update={"views": ("identity",), "store": None}),
        limits=params.dataset.limits,
        aids=Aids(keep=NETWORKS, progress=progress),
    )


def _price(backbone: Backbone, field: _Field, params: Params) -> Price:
    some = field.examples[:SPEED_BATCH]
    references = references_of(some, places_of(params.dataset))
    batch = read_examples(references, backbone.preprocessing, params.dataset.limits)
    classes = len(field.judges.class_names)
    return price_models(backbone, backbone.layers, batch, classes, params.head.hidden)(
        Strategy("linear", backbone.layers[-1])
    )


class _Part:
    """The progress of one backbone's examples, as a part of the progress of all backbones."""

    def __init__(self, progress: Progress, number: int, backbones: int, examples: int) -> None:
        self._progress, self._first, self._examples, self._total = (
            progress,
            number * examples,
            examples,
            backbones * examples,
        )

    def __call__(self, done: int, total: int) -> None:
        """Report the progress; cached examples count as done."""
        self._progress(self._first + self._examples - total + done, self._total)

    def done(self) -> None:
        self._progress(self._first + self._examples, self._total)
