"""The actor that makes parts, and its job."""

import platform
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch

from thaw.backbones.backbone import Backbone, cut
from thaw.backbones.engines import Precision
from thaw.backbones.weights import Weights
from thaw.dataset.places import Places, RowPlace, TextFile
from thaw.features.extraction.worker import ExtractionTask, Extractor, Prepared
from thaw.features.store.remote import Mirror
from thaw.features.store.store import FeatureStore, Layer, part_name
from thaw.foundation.errors import ThawError
from thaw.kinds.kind import Limits, Preprocessing
from thaw.params.sections import ExtractParams, Pooling

OUTCOME = pa.schema([("number", pa.int64()), ("error", pa.string()), ("message", pa.string())])
"""An actor's outcome of a row: its number and, after an error of Thaw, the name of the error's class and its text."""


@dataclass(frozen=True)
class PortableBackbone:
    """The parts from which a backbone is built again on another machine."""

    architecture: str
    tensors: dict[str, torch.Tensor]
    layers: tuple[str, ...]
    preprocessing: Preprocessing
    pooling: Pooling

    def build(self) -> Backbone:
        """Build the backbone."""
        return cut(self.architecture, Weights(self.tensors, {}), self.layers, self.preprocessing, self.pooling)


@dataclass(frozen=True)
class Job:
    """The job of every actor. url: the place for the parts. passes: the number of forward passes of an actor's share."""

    backbone: PortableBackbone
    params: ExtractParams
    precision: Precision
    limits: Limits
    url: str
    passes: int


class PartMaker:
    """An actor; it makes one part at a time, in every layer that lacks it."""

    def __init__(self, jobs: Sequence[Any]) -> None:
        # The job is a reference in a list; as a direct argument it would be lost with the machine that first held it.
        job: Job = import_module("ray").get(jobs[0])
        workers = max(1, int(job.params.ray.num_cpus))
        own = job.params.model_copy(update={"engine": "auto", "workers": workers})
        self._extractor = Extractor.begin(job.backbone.build(), own, job.limits, None)
        self._mirror = Mirror(job.url)
        self._precision, self._passes = job.precision, job.passes
        self._prepared: dict[tuple[str, ...], Prepared] = {}

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Make the parts of some rows of `row_of`; returns an `OUTCOME` for each."""
        return pa.Table.from_pylist([self._outcome(row) for row in batch.to_pylist()], schema=OUTCOME)

    def _outcome(self, row: dict[str, Any]) -> dict[str, Any]:
        try:
            self._make(row)
        except ThawError as error:
            # The error is returned as data, because Ray would wrap a raised error and count it as a failure of its own.
            return {"number": row["number"], "error": type(error).__name__, "message": str(error)}
        except OSError as error:
            # The usual cause is a full or closed disk.
            return {"number": row["number"], "error": "Unreachable", "message": f"{platform.node()}: {error}"}
        return {"number": row["number"], "error": None, "message": None}

    def _make(self, row: dict[str, Any]) -> None:
        layers = tuple(Layer(**layer) for layer in row["layers"])
        name = part_name(row["digests"])
        lacking = tuple(layer for layer in layers if not self._mirror.has(layer, name))
        if not lacking:
            return
        places = Places(Path("/"), row["encoding"])
        references = zip(row["digests"], map(places.at, row["paths"]), strict=True)
        task = ExtractionTask(lacking, tuple(references))
        if task.names not in self._prepared:
            self._prepared[task.names] = self._extractor.prepare(task, self._precision, self._passes)
        with tempfile.TemporaryDirectory() as folder:
            store = FeatureStore(Path(folder))
            for _ in self._extractor.fill(store, task, self._prepared[task.names]):
                for layer in lacking:
                    for part in store.parts(layer):
                        self._mirror.put(layer, part)


def portable(backbone: Backbone) -> PortableBackbone:
    """The portable form of a backbone."""
    tensors = dict(backbone.model.state_dict())
    return PortableBackbone(backbone.architecture, tensors, backbone.layers, backbone.preprocessing, backbone.pooling)


def row_of(number: int, part: ExtractionTask) -> dict[str, Any]:
    """A part as a row of Ray's data set."""
    return {
        "number": number,
        "layers": [vars(layer) for layer in part.layers],
        "digests": [digest for digest, _ in part.references],
        "paths": [str(Path(str(place)).absolute()) for _, place in part.references],
        "encoding": next(
            (place.encoding for _, place in part.references if isinstance(place, RowPlace | TextFile)), None
        ),
    }
