"""Which engine runs a backbone: each that could is measured for a moment on the user's own images, beside the reference."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from time import perf_counter

import torch

from thaw.backbones import Backbone
from thaw.engines.engine import Engine
from thaw.engines.openvino_engine import build_openvino_engine
from thaw.engines.torch_engine import build_torch_engine
from thaw.errors import BadParameters
from thaw.params import ExtractParams
from thaw.reference import Deviation, deviation, reference_features
from thaw.threads import threads
from thaw.tolerances import TOLERANCES

log = logging.getLogger(__name__)

AUTO, TORCH, OPENVINO = "auto", "torch", "openvino"
FEW = 256
"""With fewer images to do, measuring costs more than a faster engine saves: PyTorch in float32 needs no check."""
SAMPLE = 8
"""Images that engines are measured on."""
WORTH_CONVERTING_S = 20.0
"""Where PyTorch needs less time than this for all images, converting the network (seconds) costs more than a faster engine saves."""


@dataclass(frozen=True)
class Trial:
    """What an engine did on the sample: images a second on one core; its deviation in the cut layer that is worst."""

    engine: Engine
    images_per_second: float
    deviation: Deviation

    @property
    def allowed(self) -> bool:
        """Whether it is within the tolerance of its precision."""
        return TOLERANCES[self.engine.precision].allows(self.deviation)

    def __str__(self) -> str:
        verdict = "" if self.allowed else ", outside the tolerance"
        return (
            f"{self.engine.name} {self.engine.precision}: {self.images_per_second:.0f} images/s a core, "
            f"{self.deviation}{verdict}"
        )


@dataclass(frozen=True)
class Chosen:
    """The engine that runs, and what it was chosen from; no trials where there was nothing to choose or too little to do."""

    engine: Engine
    trials: tuple[Trial, ...]


def choose_engine(
    backbone: Backbone,
    params: ExtractParams,
    device: torch.device,
    *,
    images: int,
    workers: int,
    sample: Callable[[int], torch.Tensor],
) -> Chosen:
    """The engine that `params` names, or the fastest one within tolerance.

    images: how many are to be done. sample: gives the pixels of the first N of them, uint8 [N, 3, H, W].

    Raises:
        BadParameters: the engine that is named cannot run, or none is within the tolerance of the precision that is asked for.
    """
    unmeasured = params.engine == AUTO and params.precision == "float32" and images < FEW
    if unmeasured or images < SAMPLE:
        return Chosen(build_torch_engine(backbone, params.precision, device), ())
    if params.engine == OPENVINO and device.type != "cpu":
        raise BadParameters(f"extract.engine: openvino runs on the CPU, and extract.device is {device}")
    pixels = sample(SAMPLE)
    side = (pixels.shape[2], pixels.shape[3])
    trials: list[Trial] = []
    with threads(1):
        reference = reference_features(pixels, backbone)
        if params.engine in (AUTO, TORCH):
            trials.append(_try(build_torch_engine(backbone, params.precision, device), pixels, reference))
        if params.engine == OPENVINO or (
            params.engine == AUTO and _worth_converting(trials[0], images, workers, device)
        ):
            engine = build_openvino_engine(backbone, params.precision, side, workers)
            trials.append(_try(engine, pixels, reference))
    for trial in trials:
        log.info("engine %s", trial)
    allowed = [trial for trial in trials if trial.allowed]
    if not allowed:
        raise BadParameters(
            f"extract.precision: {params.precision} is outside its tolerance on this backbone ({trials[0]}); set "
            "extract.precision=float32"
        )
    best = max(allowed, key=lambda trial: trial.images_per_second)
    return Chosen(best.engine, tuple(trials))


def _worth_converting(torch_trial: Trial, images: int, workers: int, device: torch.device) -> bool:
    if device.type != "cpu" or find_spec("openvino") is None:
        return False
    seconds = images / (torch_trial.images_per_second * workers)
    if seconds < WORTH_CONVERTING_S:
        log.info("openvino is not tried: torch needs about %.0f s, too little to convert the network for", seconds)
    return seconds >= WORTH_CONVERTING_S


def _try(engine: Engine, pixels: torch.Tensor, reference: dict[str, torch.Tensor]) -> Trial:
    engine.features(pixels)  # the first pass lays out memory and compiles
    start = perf_counter()
    found = engine.features(pixels)
    seconds = perf_counter() - start
    deviations = [deviation(found[name], reference[name]) for name in reference]
    return Trial(engine, len(pixels) / seconds, min(deviations, key=lambda one: one.cosine))
