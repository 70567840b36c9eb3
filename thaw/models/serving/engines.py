"""The engine of a server: of the engines that run on this machine, the fastest for a single example and the fastest for a full batch, both measured."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Literal

import torch

from thaw.backbones.backbone import Backbone
from thaw.backbones.engines.choosing import is_convertible
from thaw.backbones.engines.engine import MICRO_BATCH, Engine, Precision
from thaw.backbones.engines.openvino_engine import build_openvino_engine
from thaw.backbones.engines.openvino_lengths_engine import build_openvino_lengths_engine
from thaw.backbones.engines.packed_engine import build_packed_engine, is_packable
from thaw.backbones.engines.reference import reference_features, worst_deviation
from thaw.backbones.engines.tolerances import TOLERANCES
from thaw.backbones.engines.torch_engine import build_torch_engine
from thaw.backbones.engines.whole_network import is_fusible
from thaw.foundation.errors import BadParameters
from thaw.foundation.parallel.torch_threads import threads
from thaw.kinds.batches import Batch, rows_in, split, tensor_of
from thaw.models.serving.gate import TRACING

log = logging.getLogger(__name__)

EngineName = Literal["auto", "torch", "openvino"]
PRECISION: Precision = "float32"
ROUNDS = 5


@dataclass(frozen=True, eq=False)
class ServingEngine:
    """Two engines: `single` takes up to `few` examples, `many` takes more; both may be the same engine.

    A network that was converted for full batches takes as long for one example as for a full batch, so the faster engine depends on the number of examples.
    """

    single: Engine
    many: Engine
    few: int

    @property
    def name(self) -> str:
        """The name of the engine, or the names of both."""
        return " and ".join(dict.fromkeys((self.single.name, self.many.name)))

    @property
    def precision(self) -> Precision:
        """The precision of the arithmetic."""
        return PRECISION

    def features(self, batch: Batch) -> dict[str, torch.Tensor]:
        """See `thaw.backbones.engines.Engine`; safe to call from threads."""
        parts = [self._for(rows_in(part)).features(part) for part in split(batch, MICRO_BATCH)]
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}

    def _for(self, count: int) -> Engine:
        return self.single if count <= self.few else self.many


@dataclass(frozen=True)
class _Trial:
    """The seconds of an engine for one example and for a full batch."""

    engine: Engine
    one_s: float
    many_s: float


def choose_serving_engine(
    backbone: Backbone, wanted: EngineName, sample: Batch, *, workers: int, keep: Path | None = None
) -> ServingEngine:
    """Build and measure the wanted engines; those that miss the tolerance are not used. The returned engines are warm.

    sample: MICRO_BATCH prepared examples. workers: number of threads that will call it at once, each on its own core. keep: see
    `thaw.backbones.engines.openvino_engine`.

    Raises:
        BadParameters: OpenVINO is wanted and not installed, or takes no such examples.
    """
    fusible = is_fusible(backbone, sample)
    if wanted == "openvino" and not is_convertible(backbone, sample):
        raise BadParameters(f"--engine: openvino does not take {backbone.words.many} of this backbone; torch does")
    builders: list[tuple[str, Callable[[], Engine]]] = []
    if wanted != "openvino":
        builders.append(("torch", lambda: _build_torch(backbone)))
        if is_packable(backbone):
            builders.append(("torch without padding", lambda: InPython(build_packed_engine(backbone, PRECISION))))
    if wanted == "openvino" and not fusible:
        builders.append(("openvino", lambda: _build_lengths(backbone, sample, workers, keep)))
    elif wanted == "openvino" or (wanted == "auto" and fusible and find_spec("openvino") is not None):
        side = (tensor_of(sample).shape[2], tensor_of(sample).shape[3])
        for size in (1, MICRO_BATCH):
            build = _openvino(backbone, side, workers, keep, size)
            builders.append((f"openvino for {size}", build))
    with threads(1):
        with TRACING.passing():
            reference = reference_features(sample, backbone)
        trials = [trial for name, build in builders if (trial := _try(name, build, sample, reference)) is not None]
    if not trials:
        # The backbone itself gives the reference features, so it is always right.
        log.warning("no engine gives the reference's features on this backbone; the plain network serves")
        plain = InPython(_Plain(backbone))
        return ServingEngine(plain, plain, MICRO_BATCH)
    return _fastest(trials)


def _fastest(trials: list[_Trial]) -> ServingEngine:
    single, full = min(trials, key=lambda trial: trial.one_s), min(trials, key=lambda trial: trial.many_s)
    if single.engine is full.engine:
        return ServingEngine(single.engine, single.engine, MICRO_BATCH)
    each_s = max(single.one_s, single.many_s / MICRO_BATCH)
    return ServingEngine(single.engine, full.engine, max(1, int(full.many_s / each_s)))


def _build_torch(backbone: Backbone) -> Engine:
    with TRACING.closed():
        return InPython(build_torch_engine(backbone, PRECISION, torch.device("cpu")))


def _build_lengths(backbone: Backbone, sample: Batch, workers: int, keep: Path | None) -> Engine:
    with TRACING.closed():
        return InPython(build_openvino_lengths_engine(backbone, PRECISION, sample, workers, keep))


def _openvino(
    backbone: Backbone, side: tuple[int, int], workers: int, keep: Path | None, size: int
) -> Callable[[], Engine]:
    return lambda: build_openvino_engine(backbone, PRECISION, side, workers, keep, size=size)


def _try(name: str, build: Callable[[], Engine], sample: Batch, reference: dict[str, torch.Tensor]) -> _Trial | None:
    """Build and measure an engine; None if it cannot be built for this network, or misses the tolerance."""
    try:
        engine = build()
        features = engine.features(sample)
    except RuntimeError as error:  # an error of a converter; another engine works too, only slower
        log.warning("%s failed and is not used: %s", name, (str(error).splitlines() or [""])[0])
        return None
    deviation = worst_deviation(features, reference)
    trial = _Trial(engine, _shortest_s(engine, next(split(sample, 1))), _shortest_s(engine, sample))
    allowed = TOLERANCES[PRECISION].allows(deviation)
    log.info(
        "engine %s: %.1f ms for one example, %.1f ms for %d, %s%s",
        name,
        1e3 * trial.one_s,
        1e3 * trial.many_s,
        rows_in(sample),
        deviation,
        "" if allowed else ", outside the tolerance",
    )
    return trial if allowed else None


def _shortest_s(engine: Engine, batch: Batch) -> float:
    """The shortest of a few rounds, because other work of the machine can only lengthen a round."""
    engine.features(batch)
    taken = []
    for _ in range(ROUNDS):
        start = perf_counter()
        engine.features(batch)
        taken.append(perf_counter() - start)
    return min(taken)


@dataclass(frozen=True, eq=False)
class InPython:
    """An engine that calls PyTorch's modules, which must not happen while another model is traced."""

    engine: Engine

    @property
    def name(self) -> str:
        """See the wrapped engine."""
        return self.engine.name

    @property
    def precision(self) -> Precision:
        """See the wrapped engine."""
        return self.engine.precision

    def features(self, batch: Batch) -> dict[str, torch.Tensor]:
        """See `thaw.backbones.engines.Engine`."""
        with TRACING.passing():
            return self.engine.features(batch)


@dataclass(frozen=True, eq=False)
class _Plain:
    """The unchanged backbone as an engine."""

    backbone: Backbone
    name: str = "plain"
    precision: Precision = PRECISION

    def features(self, batch: Batch) -> dict[str, torch.Tensor]:
        """See `thaw.backbones.engines.Engine`."""
        return self.backbone.features(batch)
