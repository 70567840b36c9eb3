"""The size of a backbone up to a cut layer."""

from dataclasses import dataclass

from thaw.backbones.backbone import Backbone


@dataclass(frozen=True)
class ModelSize:
    """parameters: the number of trained numbers. bytes: of all tensors, in memory and on disk."""

    parameters: int
    bytes: int


def model_size(backbone: Backbone, layers: tuple[str, ...] | None = None) -> ModelSize:
    """The size of the part that the given layers need (default: the backbone's layers); no forward pass is needed.

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
