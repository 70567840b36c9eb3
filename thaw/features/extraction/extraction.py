"""Extraction: one frozen forward pass over each example without features, streamed through bounded queues."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

import torch

from thaw.backbones.backbone import Backbone
from thaw.backbones.engines import Precision, settle_precision
from thaw.backbones.pooling import is_pooled
from thaw.dataset.manifest import Manifest
from thaw.dataset.places import Places
from thaw.features.extraction.coverage import coverage_of
from thaw.features.extraction.spot_check import changes, self_check
from thaw.features.extraction.worker import ExtractionTask, Extractor
from thaw.features.store.copying import borrow
from thaw.features.store.coverage import Coverage, sentences
from thaw.features.store.remote import Mirror
from thaw.features.store.store import FeatureIndex, FeatureStore, Layer, check_part_rows, hash_digests
from thaw.foundation.errors import BadParameters, BadWeights, IncompleteFeatures
from thaw.foundation.parallel.progress import Progress, untold
from thaw.kinds.batches import Batch, alone
from thaw.kinds.kind import IDENTITY, Limits, Reference, View
from thaw.kinds.registry import kind_named
from thaw.kinds.views import expand_views
from thaw.params.sections import ExtractParams

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Extraction:
    """The result of a run: the index, the number of examples that went through the backbone, and the number that had their features already."""

    index: FeatureIndex
    computed: int
    cached: int


@dataclass(frozen=True)
class Aids:
    """The helpers of a run; they change no feature.

    keep: the folder where converted networks are kept for the next run. lender: another store, such as that of scored examples; its features are copied.
    progress: called with the number of finished forward passes and the number of all.
    """

    keep: Path | None = None
    lender: FeatureStore | None = None
    progress: Progress = untold


def extract(
    manifest: Manifest,
    places: Places,
    backbone: Backbone,
    store: FeatureStore,
    params: ExtractParams,
    *,
    limits: Limits,
    aids: Aids = Aids(),
) -> Extraction:
    """Bring the store up to date with the manifest, and return its canonical index.

    Each distinct digest goes through the backbone once for each view, for any number of layers. Stored features are not computed again, and the network runs
    only as far as the missing layers need. A kill loses at most one part of `params.part_rows` rows.

    Raises:
        BadParameters: the data set is of another kind than the backbone takes, or no engine gives the right features; the message names the change.
        StaleFeatures: the stored features differ from those that would be computed now.
        BadSource: an example is missing, or has changed since the ingestion.
        OutOfMemory: there is not enough memory for a single example in the backbone.
        BadWeights: the frozen weights changed during the run.
    """
    _check_kind(manifest, backbone)
    examples = _ordered(manifest, places, backbone)
    extractor = Extractor.begin(backbone, _own(params), limits, aids.keep)
    at_hand = _AtHand(store, Mirror(params.store) if params.store else None, frozenset(manifest.digests))
    precision = _precision(params, backbone, extractor.device, at_hand, lambda count: extractor.sample(examples, count))
    layers = cut_layers(backbone, precision, params.dtype, expand_views(params.views, backbone.kind))
    for layer in layers:
        check_part_rows(layer, params.part_rows)
    present = at_hand.gather(layers, aids.lender)
    tasks = _tasks(examples, present)
    lacking = sum(len(task.references) for task in tasks)
    _tell(len(examples), lacking, tasks)
    if tasks or changes(part for layer in layers for part in store.stated(layer)):
        cached = [(digest, path) for digest, path in examples if all(digest in digests for digests in present.values())]
        self_check(store, layers, backbone, extractor.reader, cached=cached, precision=precision)
    if (coverage := coverage_of(backbone, extractor.reader, examples)) is not None:
        _tell_coverage(coverage, backbone, len(examples))
    _compute(extractor, store, tasks, params, precision, progress=aids.progress)
    _check_unchanged(backbone, store, layers)
    at_hand.send(layers)
    _check_complete(store, layers, set(manifest.digests))
    index = FeatureIndex(
        backbone.architecture, params.dtype, layers, len(examples), hash_digests(set(manifest.digests)), coverage
    )
    return Extraction(index, computed=lacking, cached=len(examples) - lacking)


def _tell_coverage(coverage: Coverage, backbone: Backbone, examples: int) -> None:
    """Log how much of the input the backbone takes in."""
    for sentence in sentences(coverage, backbone.words, examples):
        log.log(logging.WARNING if coverage.is_much_unknown else logging.INFO, "%s", sentence)


def _ordered(manifest: Manifest, places: Places, backbone: Backbone) -> list[Reference]:
    """Each digest once, in the order of the manifest; where examples differ in length, the longest first.

    So batches hold examples of like length, and memory that does not hold the longest runs out at once.
    """
    paths = dict(zip(manifest.digests, manifest.table["path"].to_pylist(), strict=True))
    digests = list(paths)
    if not isinstance(backbone.preprocessing.blank(), torch.Tensor):
        shapes = dict(zip(manifest.digests, manifest.table["shape"].to_pylist(), strict=True))
        digests.sort(key=lambda digest: shapes[digest][0], reverse=True)
    return [(digest, places.at(paths[digest])) for digest in digests]


def _check_kind(manifest: Manifest, backbone: Backbone) -> None:
    if manifest.kind != backbone.kind.name:
        many = kind_named(manifest.kind).words.many
        raise BadParameters(
            f"backbone.weights: {backbone.architecture} takes {backbone.words.many}, and the data set holds {many}; name a backbone that takes {many}, or set "
            f"dataset.kind={backbone.kind.name} and a source of {backbone.words.many}"
        )


def _tell(count: int, lacking: int, tasks: Sequence[ExtractionTask]) -> None:
    passes = sum(task.passes for task in tasks)
    log.info("%d examples: %d with features already, %d forward passes to do", count, count - lacking, passes)


def _compute(
    extractor: Extractor,
    store: FeatureStore,
    tasks: Sequence[ExtractionTask],
    params: ExtractParams,
    precision: Precision,
    *,
    progress: Progress,
) -> None:
    """Compute the tasks, and report the progress after each part."""
    done, passes = 0, sum(task.passes for task in tasks)
    for more in _fill(extractor, store, tasks, params, precision):
        done += more
        progress(done, passes)


def _check_unchanged(backbone: Backbone, store: FeatureStore, layers: Sequence[Layer]) -> None:
    if not backbone.is_unchanged():
        raise BadWeights(
            "the backbone's weights changed while it ran, so the features of this run cannot be trusted; delete "
            f"{', '.join(str(store.root / layer.fingerprint) for layer in layers)}"
        )


def _own(params: ExtractParams) -> ExtractParams:
    """The parameters of this machine: if a cluster computes, `extract.device` is that of the cluster's machines."""
    return params.model_copy(update={"device": "cpu"}) if params.engine == "ray" else params


def _fill(
    extractor: Extractor,
    store: FeatureStore,
    tasks: Sequence[ExtractionTask],
    params: ExtractParams,
    precision: Precision,
) -> Iterator[int]:
    """Compute the tasks on this machine or on a cluster; yields the number of forward passes of each finished part."""
    if params.engine == "ray" and tasks:
        from thaw.features.extraction.ray.fill import fill_on_ray

        whole, limits = extractor.backbone, extractor.limits
        yield from fill_on_ray(store, tasks, whole, params, precision=precision, limits=limits)
        return
    for task in tasks:
        yield from extractor.fill(store, task, extractor.prepare(task, precision, task.passes))


def _tasks(examples: Sequence[Reference], present: Mapping[Layer, AbstractSet[bytes]]) -> list[ExtractionTask]:
    """The tasks: examples grouped by the layers that they lack. There is usually one task, and more after a new layer or view, or a kill."""
    groups: dict[tuple[Layer, ...], list[Reference]] = {}
    for digest, path in examples:
        lacking = tuple(layer for layer, digests in present.items() if digest not in digests)
        if lacking:
            groups.setdefault(lacking, []).append((digest, path))
    return [ExtractionTask(layers, tuple(group)) for layers, group in groups.items()]


def _precision(
    params: ExtractParams,
    backbone: Backbone,
    device: torch.device,
    at_hand: "_AtHand",
    sample: Callable[[int], Batch],
) -> Precision:
    """The precision of the parameters, or the choice of `auto`."""
    if params.precision != "auto":
        return params.precision

    def cached(precision: Precision) -> int:
        return max(map(at_hand.rows, cut_layers(backbone, precision, params.dtype, (IDENTITY,))))

    return settle_precision(backbone, device, cached=cached, sample=sample)


@dataclass(frozen=True)
class _AtHand:
    """The existing features of the `wanted` examples, in the store and at the second place."""

    store: FeatureStore
    mirror: Mirror | None
    wanted: frozenset[bytes]

    def rows(self, layer: Layer) -> int:
        """The number of examples with features in the store; without any, the number of parts at the second place."""
        here = len(self.wanted & _present(self.store, layer))
        return here or (len(self.mirror.names(layer)) if self.mirror else 0)

    def gather(self, layers: Sequence[Layer], lender: FeatureStore | None) -> dict[Layer, set[bytes]]:
        """Fetch missing parts from the second place and copy the lender's features; returns the stored digests of each layer."""
        present = self._present(layers)
        if self.mirror and any(self.wanted - digests for digests in present.values()):
            log.info(
                "%d parts fetched from %s", sum(self.mirror.pull(self.store, at) for at in layers), self.mirror.url
            )
            present = self._present(layers)
        if lender and self._borrow(lender, present):
            present = self._present(layers)
        return present

    def send(self, layers: Sequence[Layer]) -> None:
        """Send the parts that the second place lacks."""
        if self.mirror:
            log.info("%d parts sent to %s", sum(self.mirror.push(self.store, at) for at in layers), self.mirror.url)

    def _present(self, layers: Sequence[Layer]) -> dict[Layer, set[bytes]]:
        return {layer: _present(self.store, layer) for layer in layers}

    def _borrow(self, lender: FeatureStore, present: Mapping[Layer, AbstractSet[bytes]]) -> int:
        """Copy the lender's features that the store lacks; returns the number of rows."""
        rows = sum(borrow(self.store, lender, layer, self.wanted - digests) for layer, digests in present.items())
        if rows:
            log.info("%d rows copied from %s", rows, lender.root)
        return rows


def cut_layers(backbone: Backbone, precision: Precision, dtype: str, views: Sequence[View]) -> tuple[Layer, ...]:
    """The backbone's cut layers in each view with their dimensions, from a pass of one blank example."""
    preprocessing = backbone.preprocessing
    blank = alone(preprocessing.blank())
    with torch.inference_mode():
        outputs = backbone.extractor(preprocessing.normalise(blank))
    return tuple(
        Layer(
            backbone.fingerprint(precision, dtype, pooled=is_pooled(outputs[name]), view=view),
            name,
            backbone.pool(name, outputs[name], preprocessing.mask(blank)).shape[1],
            view,
        )
        for view in views
        for name in backbone.layers
    )


def _present(store: FeatureStore, layer: Layer) -> set[bytes]:
    store.set_aside_damaged(layer.fingerprint, layer.name)
    return set(store.digests(layer.fingerprint, layer.name).to_pylist())


def _check_complete(store: FeatureStore, layers: Sequence[Layer], expected: Iterable[bytes]) -> None:
    for layer in layers:
        lost = set(expected) - set(store.digests(layer.fingerprint, layer.name).to_pylist())
        if lost:
            raise IncompleteFeatures(
                f"{layer.name}: {len(lost)} examples have no features after extraction; run it again"
            )
