"""Low-rank adapters: a layer's output `W x` becomes `W x + scale * B A x`; the weights W stay frozen, and only the small A and B are trained.

Source: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022 (arXiv 2106.09685), section 4.
"""

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thaw.backbones.blocks import Block
from thaw.foundation.errors import BadParameters
from thaw.kinds.batches import Batch
from thaw.params.sections import LoraParams

ADAPTER = "low_rank"
"""The name of the adapter in its layer."""
LINEAR, CONVOLUTIONS = (nn.Linear,), (nn.Conv1d, nn.Conv2d)
"""The layers that are adapted. A class derived from one of them may compute something else, and stays as it is."""


class LowRank(nn.Module):
    """The adapter of a layer with weights [O, ...] of I numbers an output: A float32 [rank, I] and B float32 [O, rank].

    B starts at zero, so an adapter changes nothing before its training.
    """

    def __init__(self, weight: Tensor, params: LoraParams, generator: torch.Generator) -> None:
        super().__init__()
        inputs = weight[0].numel()
        drawn = torch.randn(params.rank, inputs, generator=generator) / inputs**0.5
        self.down = nn.Parameter(drawn)
        self.up = nn.Parameter(torch.zeros(len(weight), params.rank))
        self.scale = params.alpha / params.rank

    def update(self) -> Tensor:
        """The change of the weights, float32 [O, I]."""
        return self.scale * (self.up @ self.down)


def add_adapters(
    part: nn.Module, blocks: Sequence[Block], example: Batch, params: LoraParams, *, seed: int
) -> tuple[str, ...]:
    """Freeze the network `part.upper`, and put an adapter on each of its layers that runs for a batch; returns their names.

    Linear layers are adapted; if most blocks have none, convolutions too. A layer whose adapter would not be smaller than its weights stays without one.

    Raises:
        BadParameters: no layer can have an adapter.
    """
    upper = part.get_submodule("upper").requires_grad_(False)
    running = _running(part, upper, example)
    fitting = [name for name in _fitting(upper, blocks, params.rank) if name in running]
    if not fitting:
        raise BadParameters(
            f"strategy.kind: lora needs linear layers or convolutions, and this network has none that adapters of rank {params.rank} make smaller; "
            "set finetune.lora.rank lower, or strategy.kind to full"
        )
    generator = torch.Generator().manual_seed(seed)
    for name in fitting:
        layer = upper.get_submodule(name)
        layer.add_module(ADAPTER, LowRank(layer.get_parameter("weight"), params, generator))
        layer.register_forward_hook(_adapted)
    return tuple(fitting)


def can_adapt(model: nn.Module, blocks: Sequence[Block], params: LoraParams) -> bool:
    """Whether a layer of the blocks is of a kind and a size that adapters fit."""
    return any(True for _ in _fitting(model, blocks, params.rank))


def merged(model: nn.Module) -> dict[str, Tensor]:
    """The tensors of a network without its adapters, whose updates are in the weights: on the CPU, under the names that they had before."""
    tensors = {name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}
    for path, module in model.named_modules():
        if isinstance(module, LowRank):
            weight = tensors[f"{path.removesuffix(ADAPTER)}weight"]
            weight += module.update().detach().cpu().view_as(weight)
    return {name: tensor for name, tensor in tensors.items() if f".{ADAPTER}." not in name}


def weight_of(name: str) -> str:
    """The name of the weights that a parameter adapts; the name itself if it is of no adapter."""
    layer, found, _ = name.partition(f".{ADAPTER}.")
    return f"{layer}.weight" if found else name


def _fitting(network: nn.Module, blocks: Sequence[Block], rank: int) -> Iterator[str]:
    """The names of layers whose kind and size fit, in order; those of the blocks."""
    layers = {name: module for name, module in network.named_modules() if type(module) in (*LINEAR, *CONVOLUTIONS)}
    inside = [{layer for layer in layers if f"{layer}.weight" in block.tensors} for block in blocks]
    linear = sum(any(type(layers[name]) in LINEAR for name in names) for names in inside)
    kinds = LINEAR if 2 * linear > len(blocks) else (*LINEAR, *CONVOLUTIONS)
    for name, layer in layers.items():
        weight = layer._parameters.get("weight")  # a weight that is computed from others is none of them
        if weight is None or type(layer) not in kinds or getattr(layer, "groups", 1) > 1:
            continue
        outputs, inputs = len(weight), weight[0].numel()
        if rank * (outputs + inputs) < outputs * inputs and any(name in names for names in inside):
            yield name


def _running(part: nn.Module, upper: nn.Module, example: Batch) -> set[str]:
    """The names of the modules that run for an example; a module whose weights alone are read, as by PyTorch's attention, does not run."""
    ran: set[str] = set()
    hooks = [
        module.register_forward_hook(lambda *_, name=name: ran.add(name)) for name, module in upper.named_modules()
    ]
    with torch.no_grad():
        part.eval()(example)
    for hook in hooks:
        hook.remove()
    return ran


def _adapted(layer: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> Tensor:
    """The hook behind a layer: its output and its adapter's."""
    adapter = layer.get_submodule(ADAPTER)
    assert isinstance(adapter, LowRank)
    if isinstance(layer, nn.Conv1d | nn.Conv2d):
        narrow = layer._conv_forward(given[0], adapter.down.view(-1, *layer.weight.shape[1:]), None)
        return output + adapter.scale * F.linear(narrow.movedim(1, -1), adapter.up).movedim(-1, 1)
    return output + adapter.scale * F.linear(F.linear(given[0], adapter.down), adapter.up)
