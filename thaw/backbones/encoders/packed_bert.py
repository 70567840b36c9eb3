"""Encoders of BERT's family without padding, on the CPU: the places of all texts stand in one row after another, so no product is spent on padding."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thaw.backbones.encoders.bert import Attention, Bert, Layer
from thaw.backbones.encoders.packing import Bucket, Packing, packing_of

LANES = 16
"""Attention runs on windows whose length is a multiple of this: PyTorch's kernel takes the rest of a row value by value, which is 2.5 times as slow a place."""
ROWS = 512
"""The number of rows that weights are laid out for; products of other numbers of rows are right too."""


class PackedBert:
    """A `Bert` up to its deepest wanted cut layer, with copies of its weights in `dtype`, laid out for the CPU; it is safe to call from threads.

    layers: of `embeddings`, `layers.NUMBER` and `pooled`.
    """

    def __init__(self, network: Bert, layers: Sequence[str], dtype: torch.dtype) -> None:
        self._network, self._layers, self._dtype = network, tuple(layers), dtype
        count = max(_depth(network, name) for name in layers)
        self._stack = [_layer(layer, dtype) for layer in network.layers[:count]]

    def __call__(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The outputs of the cut layers as `Bert` gives them, float32; batch: see `Bert`."""
        mask, embeddings = batch["mask"], self._network.embeddings
        packing = packing_of(mask, embeddings.window, LANES)
        rows = embeddings.at(batch["tokens"][mask], packing.places % embeddings.window).to(self._dtype)
        outputs = {"embeddings": rows}
        for number, layer in enumerate(self._stack):
            rows = layer(rows, packing) if len(rows) else rows
            outputs[f"layers.{number}"] = rows
        whole = {name: packing.unpacked(outputs[name]) for name in self._layers if name in outputs}
        if "pooled" in self._layers:
            whole["pooled"] = self._network.pool(packing.unpacked(rows))
        return {name: whole[name] for name in self._layers}


def packed_bert(network: nn.Module, layers: Sequence[str]) -> Callable[[torch.dtype], PackedBert] | None:
    """A function that builds the network without padding in a precision; None: it is another network, or these are other nodes than its cut layers."""
    if not isinstance(network, Bert):
        return None
    known = {"embeddings", "pooled", *(f"layers.{number}" for number in range(len(network.layers)))}
    return partial(PackedBert, network, layers) if known.issuperset(layers) else None


def _depth(network: Bert, name: str) -> int:
    """The number of layers below a cut layer, with itself."""
    if name == "embeddings":
        return 0
    return len(network.layers) if name == "pooled" else 1 + int(name.removeprefix("layers."))


def _layer(layer: nn.Module, dtype: torch.dtype) -> Callable[[Tensor, Packing], Tensor]:
    """See `Layer`, on rows float [P, D]."""
    assert isinstance(layer, Layer)
    attention = _attention(layer.attention, dtype)
    inner, outer = _Product(layer.inner, dtype), _Product(layer.outer, dtype)
    attention_norm, norm = _norm(layer.attention_norm, dtype), _norm(layer.norm, dtype)
    approximation = layer.approximation

    def forward(rows: Tensor, packing: Packing) -> Tensor:
        attended = attention_norm(attention(rows, packing))
        return norm(outer.added(inner.gelu(attended, approximation), attended))

    return forward


def _attention(attention: Attention, dtype: torch.dtype) -> Callable[[Tensor, Packing], Tensor]:
    """See `Attention`, with its input added to the output."""
    products, joined = _Product(attention.queries_keys_values, dtype), _Product(attention.joined, dtype)
    heads = attention.heads

    def forward(rows: Tensor, packing: Packing) -> Tensor:
        given = products(rows)
        found = [_attended(given, bucket, heads) for bucket in packing.buckets]
        return joined.added(torch.cat(found).index_select(0, packing.back), rows)

    return forward


def _attended(given: Tensor, bucket: Bucket, heads: int) -> Tensor:
    """Attention in the windows of a bucket: float [N * K, D]; given: queries, keys and values of all rows, float [P, 3 D]."""
    shape = (bucket.windows, len(bucket.taken) // bucket.windows, 3, heads, given.shape[1] // 3 // heads)
    queries, keys, values = given.index_select(0, bucket.taken).view(shape).permute(2, 0, 3, 1, 4).unbind()
    visible = None if bucket.known is None else bucket.known[:, None, None]
    found = F.scaled_dot_product_attention(queries, keys, values, attn_mask=visible)
    return found.transpose(1, 2).reshape(len(bucket.taken), -1)


def _norm(norm: nn.LayerNorm, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    weight, bias = norm.weight.detach().to(dtype), norm.bias.detach().to(dtype)
    return lambda rows: F.layer_norm(rows, norm.normalized_shape, weight, bias, norm.eps)


class _Product:
    """A linear map on rows, whose weights oneDNN lays out once, and what follows it in the same pass."""

    def __init__(self, linear: nn.Linear, dtype: torch.dtype) -> None:
        operations: Any = torch.ops.mkldnn
        self._weight = operations._reorder_linear_weight(linear.weight.detach().to(dtype).contiguous(), ROWS)
        self._bias = linear.bias.detach().to(dtype)
        self._pointwise: Callable[..., Tensor] = operations._linear_pointwise.default
        self._binary: Callable[..., Tensor] = operations._linear_pointwise.binary

    def __call__(self, rows: Tensor) -> Tensor:
        return self._pointwise(rows, self._weight, self._bias, "none", [], "")

    def gelu(self, rows: Tensor, approximation: str) -> Tensor:
        """The GELU of the product."""
        return self._pointwise(rows, self._weight, self._bias, "gelu", [], approximation)

    def added(self, rows: Tensor, other: Tensor) -> Tensor:
        """The sum of the product and `other`."""
        return self._binary(rows, other, self._weight, self._bias, "add")
