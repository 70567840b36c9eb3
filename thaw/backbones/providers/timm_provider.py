"""The provider `timm`: weights by name, from timm's own places, loaded by timm's own code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pickle import UnpicklingError

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from thaw.backbones.converting.source import Made
from thaw.backbones.providers import timm_networks
from thaw.backbones.providers.hub import PLACE, brought
from thaw.backbones.providers.origin import KEY, NOT_STATED, Origin, stated
from thaw.backbones.providers.packages import package
from thaw.backbones.providers.provider import Tell
from thaw.backbones.providers.timm_networks import PREFIX, Asked, asked_in, config_of, network_named, options_of
from thaw.backbones.weights import Weights
from thaw.foundation.errors import BadParameters, BadWeights

_RANDOM = ".random"
_SEED = 0


class TimmProvider:
    """See `thaw.backbones.providers.provider.Provider`."""

    def refuse_unknown(self, name: str) -> None:
        """See `Provider`."""
        try:
            asked = asked_in(name.removesuffix(_RANDOM))
            config = config_of(asked.network)
        except BadParameters as error:
            raise BadWeights(str(error)) from error
        if not name.endswith(_RANDOM) and not config.has_weights:
            raise BadWeights(
                f"backbone.weights: timm has no weights for {PREFIX}{asked.network}; {PREFIX}{name}{_RANDOM} draws random ones"
            )

    def origin(self, name: str) -> Origin:
        """See `Provider`; the size is that of the network's numbers as float32."""
        asked = asked_in(name.removesuffix(_RANDOM))
        if name.endswith(_RANDOM):
            return Origin(f"random numbers in timm's {asked.network}", "none needed")
        config = config_of(asked.network)
        source = f"{PLACE}/{config.hf_hub_id}" if config.hf_hub_id else str(config.url or "timm")
        return Origin(source, config.license or NOT_STATED, _nbytes(asked), tuple(filter(None, [config.tag])))

    def made(self, name: str, tell: Tell) -> Made:
        """See `Provider`."""
        self.refuse_unknown(name)
        architecture, origin = f"{PREFIX}{name.removesuffix(_RANDOM)}", self.origin(name)
        if name.endswith(_RANDOM):
            tensors = _drawn(architecture)
        else:
            tell(f"bringing {origin}" + (f"; {origin.caution}" if origin.caution else ""))
            tensors = _loaded(asked_in(name), name)
        preprocessing = timm_networks.preprocessing_of(architecture)
        assert preprocessing is not None, "the name has the prefix"
        metadata = {"architecture": architecture, "preprocessing": preprocessing.to_json(), KEY: stated(origin)}
        return Made(Weights(tensors, metadata), (str(origin),))


def _nbytes(asked: Asked) -> int:
    with torch.device("meta"):
        network = package("timm", "timm").create_model(asked.network, **options_of(asked))
    return 4 * sum(int(tensor.numel()) for tensor in network.state_dict().values())


def _drawn(architecture: str) -> Mapping[str, Tensor]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        network = network_named(architecture, 1000)
    assert network is not None, "the name has the prefix"
    return network.state_dict()


def _loaded(asked: Asked, name: str) -> Mapping[str, Tensor]:
    """timm's tensors; it is strict: none is left as it was drawn."""
    timm, config = package("timm", "timm"), config_of(asked.network)
    repository = str(config.hf_hub_id or config.url or asked.network)
    try:
        with brought(f"{PREFIX}{name}", repository, "timm"):
            network: nn.Module = timm.create_model(asked.network, pretrained=True, **options_of(asked))
    except (RuntimeError, ValueError, KeyError, SafetensorError, UnpicklingError) as error:
        first = re.sub(r"\s+", " ", str(error))[:200]
        raise BadWeights(
            f"{PREFIX}{name}: timm cannot load the weights in its cache ({first}); remove them and try again"
        ) from error
    return {
        tensor_name: tensor.float() if tensor.is_floating_point() else tensor
        for tensor_name, tensor in network.state_dict().items()
    }
