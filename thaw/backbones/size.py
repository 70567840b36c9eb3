"""What a backbone weighs when it is cut at a layer and what lies beyond is sliced off."""

from dataclasses import dataclass

from thaw.backbones.backbone import Backbone


@dataclass(frozen=True)
class ModelSize:
    """`parameters` counts numbers that were trained; `bytes` is what all tensors take, in memory and on disk."""

    parameters: int
    bytes: int


def model_size(backbone: Backbone, layers: tuple[str, ...] | None = None) -> ModelSize:
    """The size of what the given layers need, those of the backbone where none are given; nothing is computed.

    Raises:
        KeyError: the network has no such layer.
    """
    sliced = backbone if layers is None else backbone.only(layers)
    trained = {name for name, _ in backbone.model.named_parameters()}
    tensors = sliced.needed_tensors()
    return ModelSize(
        parameters=sum(tensor.numel() for name, tensor in tensors.items() if name in trained),
        bytes=sum(tensor.nbytes for tensor in tensors.values()),
    )
