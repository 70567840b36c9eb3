"""The network that is fine-tuned: a frozen lower part, and a trained part above it."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from thaw.backbones.backbone import Backbone, cut
from thaw.backbones.blocks import Block, blocks_of
from thaw.backbones.graph import trace
from thaw.backbones.pooling import pool
from thaw.backbones.splitting import split_at
from thaw.backbones.tokens import tokens_of
from thaw.backbones.weights import Weights
from thaw.finetuning.head_layer import HeadLayer
from thaw.finetuning.low_rank import add_adapters, merged, weight_of
from thaw.foundation.errors import BadParameters
from thaw.heads.logistic import LogisticModel
from thaw.kinds.batches import Batch, alone, laid_out
from thaw.params.sections import FinetuneParams
from thaw.params.values.strategy import Strategy


class ThawedPart(nn.Module):
    """The thawed blocks, the pooling and the head: from the lower part's output (or normalised examples) to logits float32 [B, C].

    backbone: its one layer is the output of `upper`; its preprocessing masks the padding of examples in a mapping, which pooling does not count.
    frozen_statistics: batch normalisation keeps its pretrained statistics, also in training.
    """

    def __init__(self, upper: nn.Module, head: HeadLayer, backbone: Backbone, *, frozen_statistics: bool) -> None:
        super().__init__()
        self.upper = upper
        self.head = head
        (layer,) = backbone.layers
        self.pooling, self.span, self.tokens = backbone.pooling, backbone.span(layer), tokens_of(backbone.model)
        self.preprocessing = backbone.preprocessing
        self.frozen_statistics = frozen_statistics

    def forward(self, batch: Batch) -> Tensor:
        """See the class."""
        mask = None if isinstance(batch, Tensor) else self.preprocessing.mask(batch)
        logits: Tensor = self.head(pool(self.upper(batch), self.pooling, mask, self.span, self.tokens))
        return logits

    def train(self, mode: bool = True) -> "ThawedPart":
        """Set the training mode; batch normalisation with frozen statistics stays in evaluation mode."""
        super().train(mode)
        if self.frozen_statistics:
            for module in self.upper.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self


@dataclass(frozen=True, eq=False)
class Network:
    """A copy of a backbone with a head, before its training. blocks: those up to the head's layer, from the input; the last `thawed` are trained.

    lower: from normalised examples to the input of `part`; None if all blocks are thawed, or if examples are mappings, for which the network cannot be split.
    Then `part` takes the examples.
    """

    backbone: Backbone
    blocks: tuple[Block, ...]
    thawed: int
    lower: nn.Module | None
    part: ThawedPart

    @property
    def layer(self) -> str:
        """The cut layer below the head."""
        return self.backbone.layers[-1]

    @property
    def boundary(self) -> str | None:
        """The node at the end of the frozen part; None: no layer is frozen."""
        return None if self.lower is None else self.blocks[-self.thawed - 1].output

    def trained(self) -> Iterator[tuple[int, str, nn.Parameter]]:
        """Every trained parameter with its depth and its name in `part`; depth 0 is the head, 1 the last block, and so on."""
        for name, parameter in self.part.named_parameters():
            if not parameter.requires_grad:
                continue
            yield self._depth(name), name, parameter

    def _depth(self, name: str) -> int:
        if name.startswith("head."):
            return 0
        own = weight_of(name.removeprefix("upper."))
        return next(depth for depth, block in enumerate(reversed(self.blocks), 1) if own in block.tensors)

    def result(self) -> Backbone:
        """The backbone with the present weights, frozen again; adapters are merged into them."""
        old = self.backbone
        trained = cut(old.architecture, Weights(merged(old.model), {}), old.layers, old.preprocessing, old.pooling)
        return replace(trained, origin=old.origin)


def build_network(backbone: Backbone, strategy: Strategy, head: LogisticModel, params: FinetuneParams) -> Network:
    """Copy the backbone, thaw the strategy's blocks, and put the head on it; the backbone itself does not change.

    From scratch the weights are drawn from `params.seed`, and the statistics of batch normalisation are learnt. With `lora` all weights are frozen, and all
    blocks get adapters, which are drawn from `params.seed`.

    Raises:
        BadParameters: the strategy thaws more blocks than there are, the head's layer is not the end of a block, or no layer can have an adapter.
    """
    scratch = strategy.kind == "scratch"
    model = backbone.build(1000, params.seed) if scratch else copy.deepcopy(backbone.model)
    model.requires_grad_(False).eval()
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    blocks = _blocks_up_to(model, strategy.layer)
    thawed = len(blocks) if strategy.kind in {"lora", "full", "scratch"} else (strategy.blocks or 1)
    if thawed > len(blocks):
        raise BadParameters(
            f"strategy.blocks: {thawed} given; {backbone.architecture} has {len(blocks)} blocks up to {strategy.layer}"
        )
    lower, upper = _split(backbone, model, blocks, thawed, output=strategy.layer)
    frozen_statistics = params.batch_norm == "frozen" and not scratch
    of_layer = replace(backbone, model=model, layers=(strategy.layer,))
    part = ThawedPart(upper, HeadLayer(head), of_layer, frozen_statistics=frozen_statistics)
    if strategy.kind == "lora":
        blank = laid_out(backbone.preprocessing.normalise(alone(backbone.preprocessing.blank())))
        add_adapters(part, blocks, blank, params.lora, seed=params.seed)
    return Network(of_layer, blocks, thawed, lower, part)


def _split(
    backbone: Backbone, model: nn.Module, blocks: tuple[Block, ...], thawed: int, *, output: str
) -> tuple[nn.Module | None, nn.Module]:
    """The frozen part (None if it is not separate), and the trained part, whose thawed parameters have gradients."""
    if isinstance(backbone.preprocessing.blank(), Tensor):
        lower, upper = split_at(model, blocks, thawed, output=output)
        return lower, upper.requires_grad_(True)
    _, whole = split_at(model, blocks, len(blocks), output=output)
    names = {name for block in blocks[-thawed:] for name in block.tensors}
    for name, parameter in whole.named_parameters():
        parameter.requires_grad_(name in names)
    return None, whole


def _blocks_up_to(model: nn.Module, layer: str) -> tuple[Block, ...]:
    blocks, traced = blocks_of(model), trace(model)
    ends = [traced.node(block.output) for block in blocks]
    if traced.node(layer) not in ends:
        names = ", ".join(block.output for block in blocks)
        raise BadParameters(
            f"strategy.layer: fine-tuning needs a head at the end of a block, and {layer} is not one; the ends are {names}"
        )
    return blocks[: ends.index(traced.node(layer)) + 1]
