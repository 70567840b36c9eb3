"""One worker of an extraction: it turns examples that lack features of some layers into parts of the store."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from thaw.backbones.backbone import Backbone
from thaw.backbones.devices import best_device
from thaw.backbones.engines import Engine, Precision, Work, choose_engine
from thaw.backbones.engines.engine import MICRO_BATCH
from thaw.features.extraction.decoding_check import check_decoding
from thaw.features.extraction.fastest_reader import fastest_reader
from thaw.features.store.environment import made_with
from thaw.features.store.store import FeatureStore, Layer
from thaw.foundation.errors import BadParameters
from thaw.foundation.parallel.memory_budget import MemoryBound
from thaw.foundation.parallel.ordered_map import map_ahead, usable_cores
from thaw.foundation.parallel.torch_threads import threads
from thaw.kinds.batches import Batch
from thaw.kinds.kind import IDENTITY, Limits, Reader, Reference, View
from thaw.kinds.reading import spread
from thaw.kinds.views import expand_views
from thaw.params.sections import ExtractParams


@dataclass(frozen=True)
class ExtractionTask:
    """Examples that lack features of the same layers."""

    layers: tuple[Layer, ...]
    references: tuple[Reference, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The cut layers that the network must reach."""
        return tuple(dict.fromkeys(layer.name for layer in self.layers))

    @property
    def views(self) -> tuple[View, ...]:
        """The views that must go through the network."""
        return tuple(dict.fromkeys(layer.view for layer in self.layers))

    @property
    def passes(self) -> int:
        """The number of forward passes, of one example each."""
        return len(self.references) * len(self.views)


@dataclass(frozen=True)
class Prepared:
    """The engine, its reader, and the record of both for the parts that they fill."""

    engine: Engine
    reader: Reader
    stated: dict[str, str]


@dataclass(frozen=True)
class _Rows:
    """Some examples in order: digests, and their features [rows, dim] by layer."""

    digests: tuple[bytes, ...]
    features: Mapping[Layer, torch.Tensor]


@dataclass(frozen=True)
class Extractor:
    """The extraction of features: its reader, the network's device, the number of workers and of examples at once."""

    backbone: Backbone
    params: ExtractParams
    reader: Reader
    limits: Limits
    device: torch.device
    workers: int
    size: int
    keep: Path | None

    @classmethod
    def begin(cls, backbone: Backbone, params: ExtractParams, limits: Limits, keep: Path | None) -> "Extractor":
        workers, device = params.workers or usable_cores(), best_device(params.device)
        # Examples during decoding may take one half of the bound, the workers' batches the other.
        half = params.decoded_mb * 10**6 // 2
        example = backbone.preprocessing.nbytes() * len(expand_views(params.views, backbone.kind))
        size = min(params.batch_size, max(1, half // (workers * example)))
        if device.type == "cpu" and isinstance(backbone.preprocessing.blank(), torch.Tensor):
            # On a CPU engines use small batches anyway, and with small batches no worker waits long for the last one. Examples of any length are often short,
            # and many of them make one product.
            size = min(size, 2 * MICRO_BATCH)
        reader = backbone.kind.reader(backbone.preprocessing, limits, MemoryBound(half))
        return cls(backbone, params, reader, limits, device, workers, size, keep)

    def sample(self, examples: Sequence[Reference], count: int) -> Batch:
        """`count` of the examples, prepared; all of them if there are fewer."""
        return self.reader.read(spread(examples, count), (IDENTITY,))[IDENTITY]

    def prepare(self, task: ExtractionTask, precision: Precision, passes: int) -> Prepared:
        """The engine for a task and for similar tasks, `passes` forward passes in all; it is measured on examples of the task."""
        backbone = self.backbone.only(task.names)
        check_decoding(self.reader, backbone, task.references)
        work = Work(passes, self.workers, self.device, self.keep)
        chosen = choose_engine(
            backbone, self.params.engine, precision, work, lambda count: self.sample(task.references, count)
        )
        reader = fastest_reader(self.reader, backbone, precision, task.references, work)
        stated = {
            "architecture": backbone.architecture,
            "pooling": backbone.pooling,
            "engine": chosen.engine.name,
            "precision": precision,
            "decoder": reader.name,
            **made_with(),
        }
        stated |= {f"trial {number}": str(trial) for number, trial in enumerate(chosen.trials)}
        return Prepared(chosen.engine, reader, stated)

    def fill(self, store: FeatureStore, task: ExtractionTask, prepared: Prepared) -> Iterator[int]:
        """Compute a task; yields the forward passes of each part when it is written in every layer."""
        for rows in _joined(self.forward(task, prepared), self.params.part_rows):
            for layer in task.layers:
                store.write(layer, rows.digests, rows.features[layer], prepared.stated)
            yield len(rows.digests) * len(task.views)

    def forward(self, task: ExtractionTask, prepared: Prepared) -> Iterator[_Rows]:
        """Features batch by batch in the stored type, on the CPU, in order.

        Each worker decodes a batch and passes it through the network on one core. Products that are split over cores would wait at every layer for a core that
        is decoding, which is several times slower. The workers are at most one batch ahead of the writer.
        """
        dtype = getattr(torch, self.params.dtype)

        def features_of(batch: Sequence[Reference]) -> _Rows:
            seen = prepared.reader.read(batch, task.views)
            features_in = {view: prepared.engine.features(seen[view]) for view in task.views}
            features = {layer: features_in[layer.view][layer.name].to(dtype) for layer in task.layers}
            check_finite(features, batch)
            return _Rows(tuple(digest for digest, _ in batch), features)

        batches = (task.references[start : start + self.size] for start in range(0, len(task.references), self.size))
        with threads(1):
            for _, rows in map_ahead(features_of, batches, workers=self.workers, depth=self.workers + 1):
                yield rows


def check_finite(features: Mapping[Layer, torch.Tensor], batch: Sequence[Reference]) -> None:
    """Raise BadParameters if the arithmetic or the stored type has overflowed; no checksum would show it later."""
    for layer, rows in features.items():
        finite = rows.isfinite().all(1)
        if not finite.all():
            _, path = batch[int((~finite).int().argmax())]
            raise BadParameters(
                f"{path}: its features of {layer.name} are not finite numbers; set extract.precision=float32 and extract.dtype=float32, or check "
                "the backbone's weights"
            )


def _joined(batches: Iterable[_Rows], size: int) -> Iterator[_Rows]:
    """Join batches to blocks of at least `size` rows; the last block may be smaller."""
    waiting: list[_Rows] = []
    for batch in batches:
        waiting.append(batch)
        if sum(len(rows.digests) for rows in waiting) >= size:
            yield _join(waiting)
            waiting = []
    if waiting:
        yield _join(waiting)


def _join(blocks: Sequence[_Rows]) -> _Rows:
    digests = tuple(digest for rows in blocks for digest in rows.digests)
    return _Rows(digests, {layer: torch.cat([rows.features[layer] for rows in blocks]) for layer in blocks[0].features})
