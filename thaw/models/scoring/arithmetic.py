"""The arithmetic of a model's features: that of its training, so that what training has seen costs nothing."""

from dataclasses import dataclass
from itertools import product
from typing import Literal, cast

import torch

from thaw.backbones.backbone import Backbone
from thaw.backbones.devices import best_device
from thaw.backbones.engines import Precision
from thaw.features.extraction.extraction import cut_layers
from thaw.features.extraction.worker import Extractor
from thaw.features.store.store import Layer
from thaw.kinds.kind import IDENTITY
from thaw.models.scoring.forward import Forward
from thaw.params.sections import ExtractParams

Dtype = Literal["float32", "float16"]
_PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16", "float16")
_DTYPES: tuple[Dtype, ...] = ("float32", "float16")


@dataclass(frozen=True)
class Arithmetic:
    """The layer of the features, the precision of their computation, and their stored type."""

    layer: Layer
    precision: Precision
    dtype: Dtype

    def forward(self, extractor: Extractor) -> Forward:
        """The forward pass of the extractor's backbone in this arithmetic."""
        return Forward(extractor, self.layer, self.precision, cast("torch.dtype", getattr(torch, self.dtype)))


def arithmetic_of(backbone: Backbone, fingerprint: str, params: ExtractParams) -> Arithmetic:
    """The arithmetic of the features with this fingerprint, which the model was trained on; if no arithmetic of this machine gives it, or it is empty because
    the network was trained itself, that of the parameters, where `auto` means float32. backbone: with one cut layer.
    """
    is_cpu = best_device(params.device).type == "cpu"

    def stored(precision: Precision, dtype: Dtype) -> Arithmetic:
        return Arithmetic(cut_layers(backbone, precision, dtype, (IDENTITY,))[0], precision, dtype)

    for precision, dtype in product(_PRECISIONS, _DTYPES) if fingerprint else ():
        made = {backbone.fingerprint(precision, dtype, pooled=pooled) for pooled in (False, True)}
        if fingerprint in made and not (is_cpu and precision == "float16"):
            return stored(precision, dtype)
    wanted = params.precision
    own: Precision = "float32" if wanted == "auto" or (is_cpu and wanted == "float16") else wanted
    return stored(own, params.dtype)
