"""Trigger models on the real speech embedding, with detectors that nobody trained."""

from functools import cache

import torch

from thaw.backbones.backbone import Backbone, cut
from thaw.backbones.converting.packages import folder_of
from thaw.backbones.converting.source import Source
from thaw.backbones.converting.speech_embedding_backbones import NAME, backbone_in
from thaw.backbones.encoders.speech_embedding import LOCAL
from thaw.backbones.weights import Weights
from thaw.foundation.parallel.progress import untold
from thaw.heads.logistic import LogisticModel
from thaw.heads.mlp import MlpModel
from thaw.heads.standardisation import Standardisation
from thaw.heads.trigger.detector import Detector, WindowModel
from thaw.kinds.sounds.preprocessing import WaveformPreprocessing
from thaw.models.listening.trigger_model import TriggerModel
from thaw.targets.trigger.promise import Budget, Promise

RATE = 16_000
PLACES = 4


@cache
def weights() -> Weights:
    """Those of the installed package."""
    folder = folder_of(NAME)
    assert folder is not None
    made = backbone_in(Source(folder), untold)
    assert made is not None
    return Weights(made.weights.tensors, {})


@cache
def embedding(architecture: str = LOCAL) -> Backbone:
    """The speech embedding, cut at its last layer."""
    return cut(architecture, weights(), ("embedding",), WaveformPreprocessing(RATE))


def window_model(layers: int = 1) -> WindowModel:
    """Random weights of about unit scores."""
    generator = torch.Generator().manual_seed(0)
    width = PLACES * 96
    standardisation = Standardisation(torch.zeros(width), torch.full((width,), 0.1))
    first = torch.randn(width, 8 if layers > 1 else 1, generator=generator) / width**0.5
    if layers == 1:
        return LogisticModel(standardisation, first.T.contiguous(), torch.zeros(1))
    return MlpModel(standardisation, (first, torch.randn(8, 1, generator=generator)), (torch.zeros(8), torch.zeros(1)))


def trigger_model(*, layers: int = 1, threshold: float = 0.5, refractory: int = 5) -> TriggerModel:
    """A model with a promise that was made up."""
    promise = Promise(
        threshold, Budget(0.5), hours=7.0, groups=40, accepted=0, dispersion=1.0, bound=0.43, missing_hours=0.0
    )
    return TriggerModel("view glass", embedding(), Detector(window_model(layers), PLACES), refractory, promise)


def noise(seconds: float, seed: int = 0) -> torch.Tensor:
    """Noise whose level rises and falls, float32 [T]."""
    generator = torch.Generator().manual_seed(seed)
    wave = torch.randn(round(seconds * RATE), generator=generator)
    return 0.1 * wave * (1.1 + torch.sin(torch.arange(len(wave)) / 5_000))
