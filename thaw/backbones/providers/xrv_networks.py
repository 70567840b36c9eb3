"""torchxrayvision's networks for chest x-rays, which are torchvision's with a first layer of one channel, and their preprocessing.

Cohen et al., "TorchXRayVision: A library of chest X-ray datasets and models", MIDL 2022. A first layer of one channel is spread over three, as that of any
other file, so grey examples give what they gave.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from thaw.kinds.images.preprocessing import Preprocessing

PREFIX = "xrv/"
FINDINGS = 18
"""The outputs of each network."""
_RANGE = 1024.0
"""Values go from -1024 to 1024."""
_PLACE = "https://github.com/mlmed/torchxrayvision/releases/download/v1"
_DENSENET = "densenet121-d121-tw-lr001-rot45-tr15-sc15-seed0-best.pt"


TOLD = (
    "one channel and 18 outputs: taken for a network of torchxrayvision, so values go from -1024 to 1024; a file of another network "
    "states its preprocessing in its metadata"
)


@dataclass(frozen=True)
class Published:
    """A file of weights. size: of the input, in pixels."""

    architecture: str
    file: str
    size: int

    @property
    def url(self) -> str:
        """Its address."""
        return f"{_PLACE}/{self.file}"


def _densenet(source: str) -> Published:
    return Published("densenet121", f"{source}-{_DENSENET}", 224)


PUBLISHED: Mapping[str, Published] = {
    "densenet121-res224-all": _densenet("nih-pc-chex-mimic_ch-google-openi-kaggle"),
    "densenet121-res224-nih": _densenet("nih"),
    "densenet121-res224-pc": _densenet("pc"),
    "densenet121-res224-chex": _densenet("chex"),
    "densenet121-res224-rsna": _densenet("kaggle"),
    "densenet121-res224-mimic_nb": _densenet("mimic_nb"),
    "densenet121-res224-mimic_ch": _densenet("mimic_ch"),
    "resnet50-res512-all": Published("resnet50", "pc-nih-rsna-siim-vin-resnet50-test512-e400-state.pt", 512),
}
"""The weights by torchxrayvision's own names."""
_FIRST_AND_LAST = {"features.conv0.weight": ("classifier.weight", 224), "conv1.weight": ("fc.weight", 512)}
"""The first layer of each architecture, with the last and the size of the input."""


def preprocessing_for(size: int) -> Preprocessing:
    """The central square, resized to `size` pixels, with values from -1024 to 1024."""
    middle, spread = (0.5, 0.5, 0.5), 1 / (2 * _RANGE)
    return Preprocessing(size, size, "bilinear", middle, (spread, spread, spread))


def preprocessing_in(tensors: Mapping[str, Tensor]) -> Preprocessing | None:
    """The preprocessing of tensors that can only be of one of these networks: one channel, and their number of findings; None: they are of another."""
    ends = {name.removeprefix("model.").removeprefix("module."): tensor.shape for name, tensor in tensors.items()}
    for first, (last, size) in _FIRST_AND_LAST.items():
        if ends.get(first, ())[1:2] == (1,) and ends.get(last, ())[:1] == (FINDINGS,):
            return preprocessing_for(size)
    return None
