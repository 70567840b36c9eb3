"""Vision towers of transformers as chains: embeddings, layers, a normalisation, and one vector; the parts are the library's own and run as they are written.

Cut layers are the outputs of the layers, which transformers calls hidden states.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from thaw.backbones.graph import Untraced
from thaw.backbones.text_towers import JOINT
from thaw.backbones.tokens import Tokens


@dataclass(frozen=True)
class Family:
    """The parts of one model type. layers, norm: their names in the library's model. before: of the normalisation in front of the layers; None: there is
    none. pooled: what makes one vector. special: the number of tokens before the patches, of which registers are counted by `registers`, a key of the
    settings. projects: whether the vector must be projected to the place that the tower shares with texts."""

    layers: str
    norm: str
    pooled: Callable[[Any], nn.Module]
    special: int = 1
    registers: str | None = None
    before: str | None = None
    norms_all: bool = True
    turned: bool = False
    projects: bool = False

    def tokens(self, config: Any) -> Tokens:
        """The tokens before the patches."""
        registers = int(getattr(config, self.registers)) if self.registers else 0
        return Tokens(self.special + registers, has_class=self.special > 0)


class First(nn.Module):
    """The class token: [B, T, D] to [B, D]; norm: what comes behind it."""

    def __init__(self, norm: nn.Module | None = None) -> None:
        super().__init__()
        self.norm = norm or nn.Identity()

    def forward(self, tokens: Tensor) -> Tensor:
        """See the class."""
        first: Tensor = self.norm(tokens[:, 0])
        return first


class Mean(nn.Module):
    """The mean of all tokens: [B, T, D] to [B, D]."""

    def forward(self, tokens: Tensor) -> Tensor:
        """See the class."""
        return tokens.mean(1)


class Turned(nn.Module):
    """A layer that turns its queries and keys by their places in a square of `side` pixels, as the model's own module `rope` tells them."""

    def __init__(self, layer: nn.Module, rope: nn.Module, side: int) -> None:
        super().__init__()
        self.layer = layer
        self.rope = rope
        self._side = side

    def forward(self, tokens: Tensor, attention_mask: None = None) -> Tensor:
        """[B, T, D] to the same shape; no place is hidden from another."""
        places = self.rope(tokens.new_empty((1, 3, self._side, self._side)))
        turned: Tensor = self.layer(tokens, position_embeddings=places)
        return turned


class Joint(nn.Module):
    """The place that a tower shares with texts: [B, D] to [B, J], each row of length 1. projection: None: the tower's own vector lies there already."""

    def __init__(self, projection: nn.Module | None) -> None:
        super().__init__()
        self.projection = nn.Identity() if projection is None else projection

    def forward(self, vector: Tensor) -> Tensor:
        """See the class."""
        projected: Tensor = self.projection(vector)
        normed: Tensor = projected / projected.norm(p=2, dim=-1, keepdim=True)
        return normed


class Tower(nn.Module):
    """Takes normalised examples float [B, 3, H, W]. Cut layers: `embeddings`, `layers.0` to the last and `norm`, each [B, T, D], and `pooled`, [B, D], the
    default. A tower that has learnt beside texts has the layer `joint`, [B, J], behind `pooled`, and that is its default. joint: its module."""

    def __init__(
        self, model: nn.Module, family: Family, config: Any, num_classes: int, joint: Joint | None = None
    ) -> None:
        super().__init__()
        self.embeddings = model.get_submodule("embeddings")
        self.before = nn.Identity() if family.before is None else model.get_submodule(family.before)
        layers = [*model.get_submodule(family.layers).children()]
        if family.turned:
            rope = model.get_submodule("rope_embeddings")
            layers = [Turned(layer, rope, config.image_size) for layer in layers]
        self.layers = nn.ModuleList(layers)
        self.norm = model.get_submodule(family.norm) if family.norms_all else nn.Identity()
        self.pooled = family.pooled(model)
        self.joint = joint
        self.fc = nn.Linear(config.hidden_size if joint is None else joint_width(joint, config), num_classes)
        self.classifier_name = "fc"
        last = ("pooled",) if joint is None else ("pooled", JOINT)
        self.cut_layers = (*(f"layers.{number}" for number in range(len(layers))), *last)
        self.tokens = family.tokens(config)
        parts = [self.embeddings, self.pooled, *self.layers, *([] if joint is None else [joint])]
        self.untraced = Untraced(tuple({type(part) for part in parts}))

    def forward(self, batch: Tensor) -> Tensor:
        """Logits float32 [B, C]."""
        tokens = self.before(self.embeddings(batch))
        for layer in self.layers:
            tokens = layer(tokens, attention_mask=None)
        vector = self.pooled(self.norm(tokens))
        logits: Tensor = self.fc(vector if self.joint is None else self.joint(vector))
        return logits


def joint_width(joint: Joint, config: Any) -> int:
    """The number of dimensions of the layer `joint`."""
    projection = joint.projection
    return projection.out_features if isinstance(projection, nn.Linear) else int(config.hidden_size)


def blank_joint(family: Family, config: Any, width: int) -> Joint:
    """The module of a tower with that number of dimensions, without weights from a file."""
    return Joint(nn.Linear(config.hidden_size, width, bias=False) if family.projects else None)


def _first(model: nn.Module) -> nn.Module:
    return First()


def _mean(model: nn.Module) -> nn.Module:
    return Mean()


def _first_normed(name: str, model: nn.Module) -> nn.Module:
    return First(model.get_submodule(name))


def _head(model: nn.Module) -> nn.Module:
    return model.get_submodule("head") if hasattr(model, "head") else Mean()


_VIT = Family("layers", "layernorm", _first)
_DINOV2 = Family("encoder.layer", "layernorm", _first)
FAMILIES: Mapping[str, Family] = {
    "vit": _VIT,
    "vit_msn": _VIT,
    "deit": Family("layers", "layernorm", _first, special=2),
    "ijepa": Family("layers", "layernorm", _mean, special=0),
    "dinov2": _DINOV2,
    "dinov2_with_registers": Family("encoder.layer", "layernorm", _first, registers="num_register_tokens"),
    "dinov3_vit": Family("model.layer", "norm", _first, registers="num_register_tokens", turned=True),
    "clip_vision_model": Family(
        "encoder.layers",
        "post_layernorm",
        partial(_first_normed, "post_layernorm"),
        before="pre_layrnorm",
        norms_all=False,
        projects=True,
    ),
    "siglip_vision_model": Family("encoder.layers", "post_layernorm", _head, special=0),
}
"""By transformers' model types."""


def with_positions(model: nn.Module, side: int) -> None:
    """Interpolate a model's learnt positions once, for inputs of `side` x `side` pixels, by the library's own rule; models without learnt positions stay."""
    embeddings: Any = model.get_submodule("embeddings")
    table = getattr(embeddings, "position_embedding", None)
    positions: Tensor | None = (
        table.weight[None] if table is not None else getattr(embeddings, "position_embeddings", None)
    )
    if positions is None:
        return
    with torch.no_grad():
        patches = embeddings.patch_embeddings if hasattr(embeddings, "patch_embeddings") else embeddings.patch_embedding
        size = patches.patch_size if hasattr(patches, "patch_size") else patches.kernel_size
        step = size[0] if isinstance(size, tuple | list) else int(size)
        extra = positions.shape[1] - int(positions.shape[1] ** 0.5) ** 2
        blank = positions.new_zeros((1, (side // step) ** 2 + extra, positions.shape[2]))
        enlarged = embeddings.interpolate_pos_encoding(blank, side, side)
    if table is None:
        embeddings.position_embeddings = nn.Parameter(enlarged)
    else:
        embeddings.position_embedding = nn.Embedding.from_pretrained(enlarged[0], freeze=False)
