"""The measurement of several backbones on one data set: features of the training examples by each, and their ranking."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from thaw.backbones.backbone import Backbone, read_backbone
from thaw.backbones.local_caches import local_backbones
from thaw.backbones.official_weights import weights_of
from thaw.backbones.operations import operations_of
from thaw.dataset.groups import group_numbers
from thaw.dataset.manifest import Example, Manifest, build_manifest
from thaw.dataset.places import places_of, references_of
from thaw.dataset.selection import class_names_of, training_examples, validation_examples
from thaw.features.extraction.extraction import Aids, Extraction, extract
from thaw.features.store.store import FeatureStore
from thaw.foundation.errors import BadArtifact, BadParameters, BadWeights, OutOfMemory, ThawError, Unreachable
from thaw.foundation.parallel.progress import Progress, untold
from thaw.kinds.batches import taken
from thaw.kinds.plain import plain_features
from thaw.kinds.prepared import read_examples
from thaw.models.prediction.plain import unfitted_plain
from thaw.models.prices import Price, price_models
from thaw.params.sections import Params
from thaw.params.values.places import laid
from thaw.params.values.strategy import PLAIN, Strategy
from thaw.strategies.advice.out_of_fold import Fitting
from thaw.strategies.backbone_ranking import Entrant, Judges, Ranking, Unranked, rank_backbones
from thaw.strategies.rank_budget import BeyondBudget, Budget, lacking_of
from thaw.targets.supports import require
from thaw.targets.target import target_of, target_of_targets

MOST_ROWS = 5_000
"""The most rows of train and validation that take part; intervals are then a point wide."""
SPEED_BATCH = 16
COUNTED = 4
"""The examples on which operations are counted; they may differ in length."""
ITS_OWN_FAULT = (BadWeights, BadParameters, BadArtifact, Unreachable, OutOfMemory)
"""The errors that exclude one backbone from the ranking, and no other."""


@dataclass(frozen=True)
class Desk:
    """What a ranking works with. store: of the features. keep: of converted networks. bring: a function from a backbone's name to its file, which is fetched if
    it is missing."""

    store: FeatureStore
    keep: Path
    bring: Callable[[str], Path]


@dataclass(frozen=True, eq=False)
class _Field:
    """The rows that every backbone is judged on."""

    examples: tuple[Example, ...]
    judges: Judges
    labelled: int
    kind: str
    decoding: str | None


def rank_named(  # noqa: PLR0917  # one parameter an input
    names: Sequence[str],
    manifest: Manifest,
    params: Params,
    desk: Desk,
    progress: Progress = untold,
    minutes: float | None = None,
) -> Ranking:
    """Rank backbones by name, and the model without a backbone.

    names: empty: every backbone on this machine that takes these examples, see `thaw.backbones.local_caches`. minutes: see `thaw.strategies.rank_budget`; None:
    every backbone is tried. A backbone that cannot be used is reported, and the ranking continues with the others. The test examples are not used. progress
    counts examples.

    Raises:
        BadParameters: there is one name, or the labels are those of triggers.
        BadWeights: no backbone could be used.
        BadManifest: there is no example to judge on.
    """
    field = _field(params, manifest)
    wanted = _wanted(names, field, params.backbone.weights)
    budget = Budget(None if minutes is None else 60 * minutes)
    entrants: list[Entrant] = []
    unranked: list[Unranked] = []
    left_out: list[Unranked] = []
    for number, name in enumerate(wanted):
        part = _Part(progress, number, len(wanted), len(field.examples))
        try:
            entrants.append(_enter(name, field, params, desk, budget, part))
        except BeyondBudget as beyond:
            left_out.append(Unranked(name, str(beyond)))
        except ITS_OWN_FAULT as error:
            unranked.append(Unranked(name, str(error)))
        part.done()
    if not entrants:
        raise _none_left([*unranked, *left_out])
    entrants.append(_plain(field, params))
    fitting = Fitting(params.head, os.cpu_count() or 1)
    rows, ranked = rank_backbones(entrants, field.judges, fitting, params.strategy.repeats)
    return Ranking(
        rows=rows,
        labelled=field.labelled,
        folds=params.head.folds,
        repeats=params.strategy.repeats,
        confidence=0.95,
        backbones=ranked,
        unranked=tuple(unranked),
        target=target_of_targets(field.judges.targets).name,
        left_out=tuple(left_out),
        minutes=minutes,
    )


def _wanted(names: Sequence[str], field: _Field, own: str) -> tuple[str, ...]:
    """The given names; or the project's own backbone, and then those of this machine that take the examples, the smallest first."""
    given = tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
    if len(given) == 1:
        raise BadParameters("--backbones: a ranking needs two backbones or more, such as resnet18,mobilenet_v2")
    if given:
        return given
    found = [found.name for found in local_backbones() if found.kind == field.kind]
    others = [name for name in found if laid(weights_of(name)) != laid(Path(own))]
    return (own, *others) if laid(Path(own)).exists() else tuple(others)


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


def _enter(  # noqa: PLR0917  # one parameter an input
    name: str, field: _Field, params: Params, desk: Desk, budget: Budget, progress: Progress
) -> Entrant:
    """The backbone with its features.

    Raises:
        BeyondBudget: their computation would take longer than what is left of the budget.
    """
    weights = desk.bring(name)
    backbone = read_backbone(
        params.backbone.model_copy(update={"weights": str(weights), "architecture": "auto", "layers": ("auto",)}),
        field.decoding,
    )
    operations = _operations(backbone, field, params)
    budget.spend(lacking_of(backbone, desk.store, field.examples, params.extract), operations)
    started = time.perf_counter()
    extraction = _extract(backbone, field, params, desk, progress)
    seconds = time.perf_counter() - started
    layer = extraction.index.layer(None)
    digests = [example.digest for example in field.examples]
    return Entrant(
        name=name,
        weights=str(weights),
        architecture=backbone.architecture,
        layer=layer.name,
        features=desk.store.read(layer.fingerprint, layer.name, digests),
        price=_price(backbone, field, params),
        computed=extraction.computed,
        seconds=seconds,
        operations=operations,
    )


def _operations(backbone: Backbone, field: _Field, params: Params) -> float:
    """The operations for one example, in the mean over the first few."""
    references = references_of(field.examples[:COUNTED], places_of(params.dataset))
    return operations_of(backbone, read_examples(references, backbone.preprocessing, params.dataset.limits))


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
    return Entrant(
        name=own.words.plain,
        weights="",
        architecture=PLAIN,
        layer=layer,
        features=features,
        price=price,
        computed=len(field.examples),
        seconds=seconds,
        operations=operations_of(network, taken(some, torch.arange(min(COUNTED, len(field.examples))))),
    )


def _extract(backbone: Backbone, field: _Field, params: Params, desk: Desk, progress: Progress) -> Extraction:
    """Extract the plain view into this machine's store alone, because features of backbones that are not chosen need not be shared."""
    return extract(
        build_manifest(field.examples, field.kind, field.decoding),
        places_of(params.dataset),
        backbone,
        desk.store,
        params.extract.model_copy(update={"views": ("identity",), "store": None}),
        limits=params.dataset.limits,
        aids=Aids(keep=desk.keep, progress=progress),
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
