"""The split of a network for fine-tuning: a lower part that stays frozen, and an upper part that is thawed."""

from collections.abc import Sequence

from torch import fx, nn
from torchvision.models.feature_extraction import DualGraphModule

from thaw.backbones.blocks import Block
from thaw.backbones.graph import trace


def split_at(
    model: nn.Module, blocks: Sequence[Block], thawed: int, *, output: str
) -> tuple[nn.Module | None, nn.Module]:
    """The network up to the layer `output`, split below its last `thawed` blocks.

    Returns the lower part, from normalised inputs float [B, 3, H, W] to the activation at the end of a block, and the upper part, from that activation to the
    output of `output`, not pooled. The lower part is None if all blocks are thawed; then the upper part takes the inputs.

    Both hold the model's own modules and parameters under the same names, so the training of a part trains the model. Each follows `train()` and `eval()` like
    the model; parts and model are in evaluation mode afterwards.

    Raises:
        ValueError: `thawed` is less than 1.
        KeyError: there is no such layer.
    """
    if thawed < 1:
        raise ValueError(f"{thawed} blocks cannot be thawed; 1 is the least")
    below = _below(model, blocks, output)
    if thawed > len(below):
        return None, _part(model, None, output)
    boundary = below[-thawed]
    return _part(model, None, boundary), _part(model, boundary, output)


def _below(model: nn.Module, blocks: Sequence[Block], output: str) -> list[str]:
    """The ends of the blocks before the layer, in order."""
    traced = trace(model)
    end = traced.node(output)
    before = set(traced.needed_for(end)) - {end}
    return [block.output for block in blocks if traced.node(block.output) in before]


def _part(model: nn.Module, start: str | None, end: str) -> nn.Module:
    graphs = {training: _graph(model, start, end, training=training) for training in (True, False)}
    part: nn.Module = DualGraphModule(model, graphs[True], graphs[False])
    model.eval()  # the shared modules must not be in two modes
    return part.eval()


def _graph(model: nn.Module, start: str | None, end: str, *, training: bool) -> fx.Graph:
    traced = trace(model, training=training)
    return traced.part(traced.node(end), None if start is None else traced.node(start))
