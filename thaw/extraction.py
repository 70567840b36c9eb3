"""Extraction: one frozen forward pass over each image that has no features yet, streamed through bounded queues."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image

from thaw.backbones import Backbone
from thaw.decoding_check import check_decoding
from thaw.engines import Engine, Precision, Work, choose_engine, settle_precision
from thaw.engines.engine import MICRO_BATCH
from thaw.errors import BadWeights, IncompleteFeatures
from thaw.features import FeatureIndex, FeatureStore, Layer, hash_digests
from thaw.made_with import made_with
from thaw.manifest import Manifest
from thaw.memory_bound import MemoryBound
from thaw.params import ExtractParams
from thaw.pixel_source import PixelSource, Reference
from thaw.pooling import is_pooled
from thaw.progress import Progress, untold
from thaw.self_check import changes, self_check
from thaw.streaming import map_ahead, usable_cores
from thaw.threads import threads
from thaw.views import IDENTITY, View, expand_views

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Extraction:
    """What a run did: the index, how many images went through the backbone, and how many had their features already."""

    index: FeatureIndex
    computed: int
    cached: int


@dataclass(frozen=True)
class _Rows:
    """Some images in order: digests, and their features [rows, dim] by layer."""

    digests: tuple[bytes, ...]
    features: Mapping[Layer, torch.Tensor]


@dataclass(frozen=True)
class _Task:
    """Images that lack features of the same layers."""

    layers: tuple[Layer, ...]
    images: tuple[Reference, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The cut layers that the network must reach."""
        return tuple(dict.fromkeys(layer.name for layer in self.layers))

    @property
    def views(self) -> tuple[View, ...]:
        """The views that must go through it."""
        return tuple(dict.fromkeys(layer.view for layer in self.layers))

    @property
    def passes(self) -> int:
        """How many forward passes of one image these are."""
        return len(self.images) * len(self.views)


def extract(
    manifest: Manifest,
    source: Path,
    backbone: Backbone,
    store: FeatureStore,
    params: ExtractParams,
    *,
    max_pixels: int,
    keep: Path | None = None,
    progress: Progress = untold,
) -> Extraction:
    """Bring the store up to date with the manifest, and return its canonical index.

    Each distinct digest goes through the backbone once for each view, whatever the number of layers; what the store has is not computed again, and
    the network is run no further than the missing layers need. A kill loses at most one part of `params.part_rows` rows.
    keep: the folder where converted networks are kept for the next run.

    Raises:
        BadParameters: no engine gives the right features with these parameters; the message says which to change.
        StaleFeatures: what the store holds is not what would be computed now.
        BadSource: an image is missing, or is not the one that was ingested.
        OutOfMemory: memory does not hold a single image in the backbone.
        BadWeights: the frozen weights changed during the run.
    """
    paths = dict(zip(manifest.digests, manifest.table["path"].to_pylist(), strict=True))
    images = [(digest, source / path) for digest, path in paths.items()]
    run = _Run.begin(backbone, params, max_pixels, keep)
    precision = _precision(params, backbone, run.device, store, lambda count: run.pixels.read(images[:count]))
    layers = cut_layers(backbone, precision, params.dtype, expand_views(params.views))
    present = {layer: _present(store, layer) for layer in layers}
    tasks = _tasks(images, present)
    lacking, passes = sum(len(task.images) for task in tasks), sum(task.passes for task in tasks)
    log.info("%d images: %d with features already, %d forward passes to do", len(images), len(images) - lacking, passes)
    if tasks or changes(part for layer in layers for part in store.stated(layer)):
        cached = [(digest, path) for digest, path in images if all(digest in held for held in present.values())]
        self_check(store, layers, backbone, run.pixels, cached=cached, precision=precision)
    done = 0
    for task in tasks:
        engine, stated = run.prepare(task, precision)
        for rows in _joined(run.forward(task, engine), params.part_rows):
            for layer in task.layers:
                store.write(layer, rows.digests, rows.features[layer], stated)
            done += len(rows.digests) * len(task.views)
            progress(done, passes)
    if not backbone.is_unchanged():
        raise BadWeights(
            "the backbone's weights changed while it ran, so the features of this run are not to be trusted"
        )
    _check_complete(store, layers, paths.keys())
    index = FeatureIndex(backbone.architecture, params.dtype, layers, len(paths), hash_digests(paths.keys()))
    return Extraction(index, computed=lacking, cached=len(images) - lacking)


def _tasks(images: Sequence[Reference], present: Mapping[Layer, AbstractSet[bytes]]) -> list[_Task]:
    """What is to be computed: images by what they lack. One task as a rule, more after a new layer or view, or a kill."""
    groups: dict[tuple[Layer, ...], list[Reference]] = {}
    for digest, path in images:
        lacking = tuple(layer for layer, held in present.items() if digest not in held)
        if lacking:
            groups.setdefault(lacking, []).append((digest, path))
    return [_Task(layers, tuple(group)) for layers, group in groups.items()]


@dataclass(frozen=True)
class _Run:
    """How images become features: what reads them, where the network runs, how many at once."""

    backbone: Backbone
    params: ExtractParams
    pixels: PixelSource
    device: torch.device
    workers: int
    size: int
    keep: Path | None

    @classmethod
    def begin(cls, backbone: Backbone, params: ExtractParams, max_pixels: int, keep: Path | None) -> "_Run":
        workers, device = params.workers or usable_cores(), best_device(params.device)
        # Pictures under decoding may take one half of the bound, the workers' batches the other.
        half = params.decoded_mb * 10**6 // 2
        image = _blank(backbone).nbytes * len(expand_views(params.views))
        size = min(params.batch_size, max(1, half // (workers * image)))
        if device.type == "cpu":
            # Engines take small bites there anyway, and with small batches no worker waits long for the last one.
            size = min(size, 2 * MICRO_BATCH)
        pixels = PixelSource(backbone.preprocessing, max_pixels, MemoryBound(half))
        return cls(backbone, params, pixels, device, workers, size, keep)

    def prepare(self, task: _Task, precision: Precision) -> tuple[Engine, dict[str, str]]:
        """The engine for a task, and what the parts that it fills say of it."""
        backbone = self.backbone.only(task.names)
        check_decoding(self.pixels, backbone, task.images)
        work = Work(task.passes, self.workers, self.device, self.keep)
        chosen = choose_engine(
            backbone, self.params.engine, precision, work, lambda count: self.pixels.read(task.images[:count])
        )
        stated = {
            "architecture": backbone.architecture,
            "pooling": backbone.pooling,
            "engine": chosen.engine.name,
            "precision": precision,
            **made_with(),
        }
        return chosen.engine, stated | {f"trial {number}": str(trial) for number, trial in enumerate(chosen.trials)}

    def forward(self, task: _Task, engine: Engine) -> Iterator[_Rows]:
        """Features batch by batch, as they are stored, on the CPU, in order.

        Each worker decodes a batch and passes it through the network on one core: products split over cores would wait at every layer for whichever
        core is decoding, which is several times slower. The workers are one batch ahead of the writer at most.
        """
        dtype = getattr(torch, self.params.dtype)

        def features_of(batch: Sequence[Reference]) -> _Rows:
            pixels = self.pixels.read_views(batch, task.views)
            found = {view: engine.features(pixels[view]) for view in task.views}
            features = {layer: found[layer.view][layer.name].to(dtype) for layer in task.layers}
            return _Rows(tuple(digest for digest, _ in batch), features)

        batches = (task.images[start : start + self.size] for start in range(0, len(task.images), self.size))
        with threads(1):
            for _, rows in map_ahead(features_of, batches, workers=self.workers, depth=self.workers + 1):
                yield rows


def _precision(
    params: ExtractParams,
    backbone: Backbone,
    device: torch.device,
    store: FeatureStore,
    sample: Callable[[int], torch.Tensor],
) -> Precision:
    """The precision that the parameters name, or the one that `auto` means here."""
    if params.precision != "auto":
        return params.precision

    def has_cache(precision: Precision) -> bool:
        layers = cut_layers(backbone, precision, params.dtype, (IDENTITY,))
        return any(len(store.digests(layer.fingerprint, layer.name)) for layer in layers)

    return settle_precision(backbone, device, has_cache=has_cache, sample=sample)


def cut_layers(backbone: Backbone, precision: Precision, dtype: str, views: Sequence[View]) -> tuple[Layer, ...]:
    """The backbone's cut layers in each view with their dimensions, found by passing one black image."""
    with torch.inference_mode():
        outputs = backbone.extractor(backbone.preprocessing.normalise(_blank(backbone).unsqueeze(0)))
    return tuple(
        Layer(
            backbone.fingerprint(precision, dtype, pooled=is_pooled(outputs[name]), view=view),
            name,
            backbone.pool(outputs[name]).shape[1],
            view,
        )
        for view in views
        for name in backbone.layers
    )


def _blank(backbone: Backbone) -> torch.Tensor:
    """A black image as the backbone takes it: uint8 [3, H, W]."""
    return backbone.preprocessing.pixels(Image.new("RGB", (64, 64)))


def best_device(name: str) -> torch.device:
    """The device of that name; `auto`: CUDA where there is one, else the CPU."""
    return torch.device(("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name)


def _present(store: FeatureStore, layer: Layer) -> set[bytes]:
    store.set_aside_damaged(layer.fingerprint, layer.name)
    return set(store.digests(layer.fingerprint, layer.name).to_pylist())


def _check_complete(store: FeatureStore, layers: Sequence[Layer], expected: Iterable[bytes]) -> None:
    for layer in layers:
        lost = set(expected) - set(store.digests(layer.fingerprint, layer.name).to_pylist())
        if lost:
            raise IncompleteFeatures(
                f"{layer.name}: {len(lost)} images have no features after extraction; run it again"
            )


def _joined(batches: Iterable[_Rows], size: int) -> Iterator[_Rows]:
    """Gather batches until they hold `size` rows; what is left at the end comes last."""
    held: list[_Rows] = []
    for batch in batches:
        held.append(batch)
        if sum(len(rows.digests) for rows in held) >= size:
            yield _join(held)
            held = []
    if held:
        yield _join(held)


def _join(held: Sequence[_Rows]) -> _Rows:
    digests = tuple(digest for rows in held for digest in rows.digests)
    return _Rows(digests, {layer: torch.cat([rows.features[layer] for rows in held]) for layer in held[0].features})
