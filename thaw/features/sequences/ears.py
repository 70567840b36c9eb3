"""What turns the frames of a recording into places: a backbone, or no backbone."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from blake3 import blake3
from torch import Tensor

from thaw.backbones.backbone import Backbone
from thaw.backbones.places import Span
from thaw.features.sequences import plain
from thaw.features.sequences.network import refuse_unless_local, sequence


@dataclass(frozen=True)
class Ear:
    """places: from frames, float32 [F, hop], to places, float32 [P, D]. name: of the layer. fingerprint: a hash, hex, of all that changes a number, of the
    stored type and the view."""

    places: Callable[[Tensor], Tensor]
    span: Span
    name: str
    fingerprint: Callable[[str, str], str]


def ear_of(backbone: Backbone) -> Ear:
    """The backbone's last cut layer.

    Raises:
        BadParameters: see `refuse_unless_local`.
    """
    span = refuse_unless_local(backbone)

    def fingerprint(dtype: str, view: str) -> str:
        return backbone.fingerprint("float32", dtype, view=view)

    return Ear(partial(sequence, backbone, span), span, backbone.layers[-1], fingerprint)


def plain_ear(rate: int) -> Ear:
    """Log-mel spectra; rate: of the samples, a second."""

    def fingerprint(dtype: str, view: str) -> str:
        return blake3(json.dumps([plain.NAME, plain.BANDS, rate, dtype, view]).encode()).hexdigest(16)

    return Ear(plain.plain_sequence, plain.SPAN, plain.NAME, fingerprint)
