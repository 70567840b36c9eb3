"""Extraction: one frozen forward pass over each image that has no features yet, streamed through bounded queues."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from PIL import Image

from thaw.backbones import Backbone
from thaw.decoding_check import check_decoding
from thaw.engines import Engine, Precision, Work, choose_engine, settle_precision
from thaw.engines.engine import MICRO_BATCH
from thaw.errors import BadWeights, IncompleteFeatures
from thaw.features import FeatureIndex, FeatureStore, Layer, hash_digests
from thaw.manifest import Manifest
from thaw.memory_bound import MemoryBound
from thaw.params import ExtractParams
from thaw.pixel_source import PixelSource, Reference
from thaw.progress import Progress, untold
from thaw.streaming import map_ahead, usable_cores
from thaw.threads import threads

log = logging.getLogger(__name__)

Item = TypeVar("Item")


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
    features: Mapping[str, torch.Tensor]


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

    Each distinct digest goes through the backbone once, whatever the number of layers; what the store has is not computed again.
    A kill loses at most one part of `params.part_rows` rows. keep: the folder where converted networks are kept for the next run.

    Raises:
        BadParameters: no engine gives the right features with these parameters; the message says which to change.
        BadSource: an image is missing, or is not the one that was ingested.
        OutOfMemory: memory does not hold a single image in the backbone.
        BadWeights: the frozen weights changed during the run.
    """
    paths = dict(zip(manifest.digests, manifest.table["path"].to_pylist(), strict=True))
    workers, device = params.workers or usable_cores(), best_device(params.device)
    # Pictures under decoding may take one half of the bound, the workers' batches the other.
    half = params.decoded_mb * 10**6 // 2
    pixels = PixelSource(backbone.preprocessing, max_pixels, MemoryBound(half))
    size = min(params.batch_size, max(1, half // (workers * _blank(backbone).nbytes)))
    if device.type == "cpu":
        # Engines take small bites there anyway, and with small batches no worker waits long for the last one.
        size = min(size, 2 * MICRO_BATCH)
    every = [(digest, source / path) for digest, path in paths.items()]
    precision = _precision(params, backbone, device, store, lambda count: pixels.read(every[:count]))
    layers = cut_layers(backbone, precision, params.dtype)
    present = {layer.name: _present(store, layer) for layer in layers}
    images = [(digest, path) for digest, path in every if any(digest not in held for held in present.values())]
    log.info(
        "%d images: %d with features already, %d forward passes to do",
        len(every),
        len(every) - len(images),
        len(images),
    )
    check_decoding(pixels, backbone, images)
    work = Work(len(images), workers, device, keep)
    chosen = choose_engine(backbone, params.engine, precision, work, lambda count: pixels.read(images[:count]))
    stated = {"architecture": backbone.architecture, "engine": chosen.engine.name, "precision": precision}
    stated |= {f"trial {number}": str(trial) for number, trial in enumerate(chosen.trials)}
    done = 0
    for rows in _parts(
        _forward(images, pixels, chosen.engine, dtype=getattr(torch, params.dtype), workers=workers, size=size),
        params.part_rows,
    ):
        for layer in layers:
            _write(store, layer, rows, present[layer.name], stated)
        done += len(rows.digests)
        progress(done, len(images))
    if not backbone.is_unchanged():
        raise BadWeights(
            "the backbone's weights changed while it ran, so the features of this run are not to be trusted"
        )
    _check_complete(store, layers, paths.keys())
    index = FeatureIndex(
        layers[0].fingerprint,
        backbone.architecture,
        params.dtype,
        layers,
        len(paths),
        hash_digests(paths.keys()),
    )
    return Extraction(index, computed=len(images), cached=len(every) - len(images))


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
        fingerprint = backbone.fingerprint(precision, params.dtype)
        return any(len(store.digests(fingerprint, layer)) for layer in backbone.layers)

    return settle_precision(backbone, device, has_cache=has_cache, sample=sample)


def cut_layers(backbone: Backbone, precision: Precision, dtype: str) -> tuple[Layer, ...]:
    """The backbone's cut layers with their dimensions, found by passing one black image."""
    features = backbone.features(_blank(backbone).unsqueeze(0))
    fingerprint = backbone.fingerprint(precision, dtype)
    return tuple(Layer(fingerprint, name, features[name].shape[1]) for name in backbone.layers)


def _blank(backbone: Backbone) -> torch.Tensor:
    """A black image as the backbone takes it: uint8 [3, H, W]."""
    return backbone.preprocessing.pixels(Image.new("RGB", (64, 64)))


def best_device(name: str) -> torch.device:
    """The device of that name; `auto`: CUDA where there is one, else the CPU."""
    return torch.device(("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name)


def _present(store: FeatureStore, layer: Layer) -> set[bytes]:
    store.set_aside_damaged(layer.fingerprint, layer.name)
    return set(store.digests(layer.fingerprint, layer.name).to_pylist())


def _write(store: FeatureStore, layer: Layer, rows: _Rows, present: set[bytes], stated: dict[str, str]) -> None:
    """Write a part of the rows that the layer lacks."""
    lacking = [i for i, digest in enumerate(rows.digests) if digest not in present]
    if lacking:
        digests = [rows.digests[i] for i in lacking]
        store.write(layer, digests, rows.features[layer.name][lacking], stated)


def _check_complete(store: FeatureStore, layers: Sequence[Layer], expected: Iterable[bytes]) -> None:
    for layer in layers:
        lost = set(expected) - set(store.digests(layer.fingerprint, layer.name).to_pylist())
        if lost:
            raise IncompleteFeatures(
                f"{layer.name}: {len(lost)} images have no features after extraction; run it again"
            )


def _forward(
    images: Iterable[Reference],
    pixels: PixelSource,
    engine: Engine,
    *,
    dtype: torch.dtype,
    workers: int,
    size: int,
) -> Iterator[_Rows]:
    """Features batch by batch of `size` images, as `dtype` on the CPU, in order.

    Each worker decodes a batch and passes it through the network on one core: products split over cores would wait at every layer for whichever
    core is decoding, which is several times slower. The workers are one batch ahead of the writer at most.
    """

    def features_of(batch: Sequence[Reference]) -> _Rows:
        found = engine.features(pixels.read(batch))
        return _Rows(tuple(digest for digest, _ in batch), {name: row.to(dtype) for name, row in found.items()})

    with threads(1):
        for _, rows in map_ahead(features_of, _batches(images, size), workers=workers, depth=workers + 1):
            yield rows


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    batch: list[Item] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _parts(batches: Iterable[_Rows], size: int) -> Iterator[_Rows]:
    """Gather batches until they hold `size` rows."""
    held: list[_Rows] = []
    for batch in batches:
        held.append(batch)
        if sum(len(rows.digests) for rows in held) >= size:
            yield _joined(held)
            held = []
    if held:
        yield _joined(held)


def _joined(held: Sequence[_Rows]) -> _Rows:
    digests = tuple(digest for rows in held for digest in rows.digests)
    return _Rows(digests, {name: torch.cat([rows.features[name] for rows in held]) for name in held[0].features})
