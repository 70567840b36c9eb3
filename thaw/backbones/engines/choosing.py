"""The choice of a backbone's engine: each possible engine is measured for a moment on the user's own examples, beside the reference."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter

import torch

from thaw.backbones.backbone import Backbone
from thaw.backbones.engines.compiled_engine import build_compiled_engine, has_compiler
from thaw.backbones.engines.cuda_engine import build_compiled_cuda_engine, build_cuda_engine, cuda_devices
from thaw.backbones.engines.engine import Engine, Precision
from thaw.backbones.engines.halving_engine import HalvingEngine
from thaw.backbones.engines.openvino_engine import build_openvino_engine, is_kept
from thaw.backbones.engines.openvino_lengths_engine import (
    NotConvertible,
    build_openvino_lengths_engine,
    is_kept_for_lengths,
    is_refused,
)
from thaw.backbones.engines.packed_engine import build_packed_engine, is_packable
from thaw.backbones.engines.reference import Deviation, reference_features, worst_deviation
from thaw.backbones.engines.tolerances import TOLERANCES
from thaw.backbones.engines.torch_engine import build_torch_engine
from thaw.backbones.engines.whole_network import is_fusible
from thaw.foundation.errors import BadParameters
from thaw.foundation.parallel.torch_threads import threads
from thaw.kinds.batches import Batch, rows_in

log = logging.getLogger(__name__)

AUTO, OPENVINO, CUDA = "auto", "openvino", "cuda"
FEW = 256
"""With fewer examples than this, the measurements cost more than a faster engine saves; PyTorch in float32 on the CPU needs no check."""
SAMPLE = 8
"""The number of examples that engines are measured on."""
WORTH_CONVERTING_S = 8.0
"""If the work takes less time than this, the conversion of the network for OpenVINO (2 to 3 s) costs more than it saves."""
WORTH_CONVERTING_LENGTHS_S = 30.0
"""The same limit for networks that take examples of any length (2 to 6 s)."""
LITTLE_GAIN = 40.0
"""The factor on OpenVINO's limits if the network runs without padding, because OpenVINO is then hardly faster."""
WORTH_READING_S = 1.5
"""The same limit if the converted network was kept; OpenVINO starts in some tenths of a second."""
WORTH_PADDING_S = 10.0
"""The same limit for PyTorch with padding (0.5 s) where the network runs without padding, which is faster but on the shortest examples."""
WORTH_COMPILING_S = 60.0
"""The same limit for PyTorch's compiler (3 to 30 s)."""


@dataclass(frozen=True)
class Trial:
    """The result of an engine on the sample: examples a second of one worker, and the deviation in the worst cut layer."""

    engine: Engine
    examples_per_second: float
    deviation: Deviation

    @property
    def allowed(self) -> bool:
        """Whether the deviation is within the tolerance of the engine's precision."""
        return TOLERANCES[self.engine.precision].allows(self.deviation)

    def __str__(self) -> str:
        verdict = "" if self.allowed else ", outside the tolerance"
        return (
            f"{self.engine.name} {self.engine.precision}: {self.examples_per_second:.0f} examples/s a worker, "
            f"{self.deviation}{verdict}"
        )


@dataclass(frozen=True)
class Chosen:
    """The chosen engine and the trials of the choice; no trials if there was no choice or too little work."""

    engine: Engine
    trials: tuple[Trial, ...]


@dataclass(frozen=True)
class Work:
    """The work of an engine: `examples` by `workers` threads on `device`; `keep` is the folder for converted networks, or None."""

    examples: int
    workers: int
    device: torch.device
    keep: Path | None = None

    @property
    def at_once(self) -> int:
        """The number of passes that run side by side at full rate: a single worker keeps a GPU busy."""
        return len(cuda_devices(self.device)) if self.device.type == "cuda" else self.workers


@dataclass(frozen=True)
class _Candidate:
    """An engine whose trial takes time; it is tried only if the fastest engine so far would need `worth_s` seconds or more."""

    name: str
    worth_s: float
    build: Callable[[], Engine]


def choose_engine(
    backbone: Backbone, wanted: str, precision: Precision, work: Work, sample: Callable[[int], Batch]
) -> Chosen:
    """The wanted engine (a value of `extract.engine`), or the fastest engine within its tolerance.

    sample: a function that returns N prepared examples.

    Raises:
        BadParameters: the wanted engine cannot run, or no engine is within the tolerance of the precision.
    """
    _check(wanted, precision, work.device)
    few = work.examples < (FEW if wanted == AUTO else SAMPLE)
    if few and wanted != OPENVINO and precision == "float32" and work.device.type == "cpu":
        return Chosen(HalvingEngine(_plain(backbone, precision, work.device)), ())
    batch = sample(SAMPLE)
    trials: list[Trial] = []
    with threads(1):
        reference = reference_features(batch, backbone)
        trials.append(_try(_first(backbone, wanted, precision, work, batch), batch, reference))
        for candidate in _candidates(backbone, wanted, precision, work, batch):
            trial = _try_if_worth(candidate, work, trials, batch, reference)
            trials += [trial] if trial else []
    for trial in trials:
        log.info("engine %s", trial)
    allowed = [trial for trial in trials if trial.allowed]
    if not allowed:
        raise BadParameters(
            f"extract.precision: {precision} is outside its tolerance on this backbone ({trials[0]}); {_way_out(precision)}"
        )
    best = max(allowed, key=lambda trial: trial.examples_per_second)
    return Chosen(HalvingEngine(best.engine), tuple(trials))


def _first(backbone: Backbone, wanted: str, precision: Precision, work: Work, batch: Batch) -> Engine:
    """The engine that is tried in any case: the wanted one, or the one that is built in the shortest time."""
    if wanted == OPENVINO:
        return _wanted_openvino(backbone, precision, work, batch)
    if work.device.type == "cpu" and is_packable(backbone):
        return build_packed_engine(backbone, precision)
    return _plain(backbone, precision, work.device)


def _wanted_openvino(backbone: Backbone, precision: Precision, work: Work, batch: Batch) -> Engine:
    if not is_convertible(backbone, batch):
        raise BadParameters(f"extract.engine: openvino takes no {backbone.words.many} of this backbone; torch does")
    try:
        return _openvino(backbone, precision, work, batch)
    except NotConvertible as error:
        raise BadParameters(f"extract.engine: openvino does not take this backbone: {error}; torch does") from error


def is_convertible(backbone: Backbone, batch: Batch) -> bool:
    """Whether OpenVINO may take the backbone with such a batch; the conversion itself may still fail."""
    return is_fusible(backbone, batch) or not isinstance(batch, torch.Tensor)


def _may_take(backbone: Backbone, work: Work, batch: Batch) -> bool:
    """Whether OpenVINO is here, may take the backbone, and has not refused it before."""
    if find_spec("openvino") is None or not is_convertible(backbone, batch):
        return False
    return isinstance(batch, torch.Tensor) or not is_refused(backbone, batch, work.keep)


def _openvino(backbone: Backbone, precision: Precision, work: Work, batch: Batch) -> Engine:
    if isinstance(batch, torch.Tensor):
        return build_openvino_engine(backbone, precision, _side(batch), work.workers, work.keep)
    return build_openvino_lengths_engine(backbone, precision, batch, work.workers, work.keep)


def _worth_openvino_s(backbone: Backbone, work: Work, batch: Batch) -> float:
    if isinstance(batch, torch.Tensor):
        return WORTH_READING_S if is_kept(backbone, _side(batch), work.keep) else WORTH_CONVERTING_S
    limit = WORTH_READING_S if is_kept_for_lengths(backbone, batch, work.keep) else WORTH_CONVERTING_LENGTHS_S
    return LITTLE_GAIN * limit if is_packable(backbone) else limit


def _side(maps: torch.Tensor) -> tuple[int, int]:
    """Height and width of the prepared examples."""
    height, width = maps.shape[2:]
    return height, width


def _way_out(precision: Precision) -> str:
    if precision == "float32":
        return "look at its weights: values may overflow, or be no numbers"
    return "set extract.precision=float32"


def _check(wanted: str, precision: Precision, device: torch.device) -> None:
    if wanted == OPENVINO and device.type != "cpu":
        raise BadParameters(f"extract.engine: openvino runs on the CPU, and extract.device is {device}")
    if wanted == CUDA and device.type != "cuda":
        raise BadParameters(f"extract.engine: cuda needs an NVIDIA GPU, and extract.device is {device}")
    if precision == "float16" and device.type != "cuda":
        raise BadParameters(
            f"extract.precision: float16 needs an NVIDIA GPU, and extract.device is {device}; bfloat16 runs here"
        )


def _plain(backbone: Backbone, precision: Precision, device: torch.device) -> Engine:
    """The engine without preparation."""
    if device.type == "cuda":
        return build_cuda_engine(backbone, precision, cuda_devices(device))
    return build_torch_engine(backbone, precision, device)


def _candidates(
    backbone: Backbone, wanted: str, precision: Precision, work: Work, batch: Batch
) -> Iterator[_Candidate]:
    """The other engines that could run here, the cheapest trial first."""
    if wanted == OPENVINO:
        return
    fusible = is_fusible(backbone, batch)
    if work.device.type == "cuda" and fusible:
        devices = cuda_devices(work.device)
        yield _Candidate(
            "torch.compile", WORTH_COMPILING_S, lambda: build_compiled_cuda_engine(backbone, precision, devices)
        )
    if work.device.type != "cpu":
        return
    if is_packable(backbone):
        yield _Candidate("torch", WORTH_PADDING_S, lambda: _plain(backbone, precision, work.device))
    if wanted == AUTO and _may_take(backbone, work, batch):
        worth = _worth_openvino_s(backbone, work, batch)
        yield _Candidate(OPENVINO, worth, lambda: _openvino(backbone, precision, work, batch))
    if not fusible:
        return
    if has_compiler():
        yield _Candidate("torch.compile", WORTH_COMPILING_S, lambda: build_compiled_engine(backbone, precision))
    else:
        log.info("torch.compile is not tried: there is no C++ compiler here")


def _try_if_worth(
    candidate: _Candidate, work: Work, trials: list[Trial], batch: Batch, reference: dict[str, torch.Tensor]
) -> Trial | None:
    """The trial of a candidate; None: it would gain too little, or the engine cannot be built; the log tells the reason."""
    fastest = max(trials, key=lambda trial: trial.examples_per_second if trial.allowed else 0.0)
    seconds = work.examples / (fastest.examples_per_second * work.at_once)
    if fastest.allowed and seconds < candidate.worth_s:
        log.info(
            "%s is not tried: %s needs about %.0f s, and trying it pays from %.0f s on",
            candidate.name,
            fastest.engine.name,
            seconds,
            candidate.worth_s,
        )
        return None
    try:
        return _try(candidate.build(), batch, reference)
    except NotConvertible as error:
        log.info("%s does not take this backbone: %s", candidate.name, error)
        return None
    except RuntimeError as error:  # compilers raise it; the plain engine gives the same features, only slower
        log.warning("%s failed and is not used: %s", candidate.name, (str(error).splitlines() or [""])[0])
        return None


def _try(engine: Engine, batch: Batch, reference: dict[str, torch.Tensor]) -> Trial:
    features = engine.features(batch)  # the first pass lays out memory and compiles
    seconds = _shortest_s(lambda: engine.features(batch))
    return Trial(engine, rows_in(batch) / seconds, worst_deviation(features, reference))


def _shortest_s(work: Callable[[], object]) -> float:
    """The shortest time of three rounds, or of fewer rounds after a second; other work of the machine can only make a round longer."""
    taken: list[float] = []
    while len(taken) < 3 and sum(taken) < 1:
        start = perf_counter()
        work()
        taken.append(perf_counter() - start)
    return min(taken)
