"""The provider `xrv`: torchxrayvision's weights by name, from its own cache or its own place; the library itself is not needed."""

from __future__ import annotations

import difflib
from pathlib import Path

import torch
from torchvision import models

from thaw.backbones.converting.source import Made
from thaw.backbones.providers.origin import KEY, Origin, stated
from thaw.backbones.providers.provider import Tell
from thaw.backbones.providers.xrv_networks import FINDINGS, PREFIX, PUBLISHED, preprocessing_for
from thaw.backbones.weights import Weights, read_weights
from thaw.foundation.errors import BadWeights
from thaw.foundation.files.downloads import cached_download

_LICENCE = "apache-2.0"
_THRESHOLDS = "op_threshs"
"""A buffer of the findings' operating points, which is no part of the network."""


class XrvProvider:
    """See `thaw.backbones.providers.provider.Provider`."""

    def refuse_unknown(self, name: str) -> None:
        """See `Provider`."""
        if name not in PUBLISHED:
            near = difflib.get_close_matches(name, PUBLISHED, n=4, cutoff=0.3) or list(PUBLISHED)
            raise BadWeights(
                f"backbone.weights: torchxrayvision has no weights {name}; names are {', '.join(PREFIX + each for each in near)}"
            )

    def origin(self, name: str) -> Origin:
        """See `Provider`; the size is that of the network's numbers as float32."""
        published = PUBLISHED[name]
        return Origin(published.url, _LICENCE, _nbytes(published.architecture))

    def made(self, name: str, tell: Tell) -> Made:
        """See `Provider`."""
        self.refuse_unknown(name)
        published, origin = PUBLISHED[name], self.origin(name)
        kept = own_cache() / published.file
        if not kept.exists():
            tell(f"bringing {origin}")
        read = read_weights(cached_download(published.url, kept, is_whole=_holds_something))
        tensors = {key: tensor for key, tensor in read.tensors.items() if key != _THRESHOLDS}
        preprocessing = preprocessing_for(published.size).to_json()
        metadata = {"architecture": published.architecture, "preprocessing": preprocessing, KEY: stated(origin)}
        return Made(Weights(tensors, metadata), (str(origin),))


def own_cache() -> Path:
    """The folder in which torchxrayvision keeps its weights."""
    return Path.home() / ".torchxrayvision" / "models_data"


def _nbytes(architecture: str) -> int:
    with torch.device("meta"):
        network = models.get_model(architecture, weights=None, num_classes=FINDINGS)
    return 4 * sum(int(tensor.numel()) for tensor in network.state_dict().values())


def _holds_something(path: Path) -> bool:
    """No hash of the files is published, so a damaged one is found by its reader."""
    return path.stat().st_size > 0
