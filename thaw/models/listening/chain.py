"""A network as a chain of stages over time, each of which keeps the places that it still needs: no place of a stream is computed twice."""

from collections.abc import Mapping
from copy import copy
from itertools import pairwise
from typing import Self

import torch
from torch import Tensor, fx, nn

from thaw.backbones.backbone import Backbone
from thaw.backbones.graph import trace
from thaw.backbones.places import Span
from thaw.kinds.sounds.framed import MASK, SAMPLES


class Chain:
    """The stages between the layers whose places a network states, up to a layer; frames in, places of the layer out."""

    def __init__(self, backbone: Backbone, layer: str) -> None:
        spans = _up_to(layer, backbone.model)
        first, *_ = spans
        self._first = _FirstStage(backbone, _part(backbone.model, None, first), spans[first])
        self._others = [_stage(backbone.model, one, other, spans) for one, other in pairwise(spans)]

    def fresh(self) -> Self:
        """The same stages for another stream. They are not traced again, which takes long."""
        other = copy(self)
        other._first, other._others = self._first.fresh(), [each.fresh() for each in self._others]
        return other

    def feed(self, frames: Tensor) -> Tensor:
        """The places that end within these frames: float32 [F, hop] -> [P, D]."""
        with torch.inference_mode():
            places = self._first.feed(frames)
            for stage in self._others:
                places = stage.feed(places)
        return places.clone()


class _FirstStage:
    """The front end, which is given `least` frames at least, since it would set fewer into zeros. The past frames among them are heard again."""

    def __init__(self, backbone: Backbone, module: nn.Module, span: Span) -> None:
        self._backbone, self._module, self._span = backbone, module, span
        self._kept = torch.zeros(0)
        self._done = 0
        """The places of the kept frames that are given already."""

    def fresh(self) -> "_FirstStage":
        return _FirstStage(self._backbone, self._module, self._span)

    def feed(self, frames: Tensor) -> Tensor:
        self._kept = torch.cat([self._kept, frames]) if len(self._kept) else frames
        if len(self._kept) < self._span.least:
            return torch.zeros(0)
        batch = {SAMPLES: self._kept[None], MASK: torch.ones(1, len(self._kept), dtype=torch.bool)}
        places = self._module(self._backbone.preprocessing.normalise(batch))[0]
        fresh: Tensor = places[self._done : len(self._kept) - self._span.window + 1]
        self._kept = self._kept[len(self._kept) - self._span.least + 1 :].clone()
        self._done = len(self._kept) - self._span.window + 1
        return fresh


class _Stage:
    """window, stride: in places of the layer below."""

    def __init__(self, module: nn.Module, window: int, stride: int) -> None:
        self._module, self._window, self._stride = module, window, stride
        self._kept = torch.zeros(0)

    def fresh(self) -> "_Stage":
        return _Stage(self._module, self._window, self._stride)

    def feed(self, below: Tensor) -> Tensor:
        self._kept = torch.cat([self._kept, below]) if len(self._kept) else below
        count = (len(self._kept) - self._window) // self._stride + 1
        if count < 1:
            return torch.zeros(0)
        places: Tensor = self._module(self._kept[None, : self._window + (count - 1) * self._stride])[0]
        self._kept = self._kept[count * self._stride :]
        return places


def _up_to(layer: str, model: nn.Module) -> dict[str, Span]:
    spans: Mapping[str, Span] = model.spans  # type: ignore[assignment]  # torch's stubs take attributes for tensors
    names = list(spans)
    return {name: spans[name] for name in names[: names.index(layer) + 1]}


def _stage(model: nn.Module, below: str, above: str, spans: Mapping[str, Span]) -> _Stage:
    one, other = spans[below], spans[above]
    return _Stage(_part(model, below, above), (other.window - one.window) // one.stride + 1, other.stride // one.stride)


def _part(model: nn.Module, start: str | None, end: str) -> nn.Module:
    traced = trace(model)
    return fx.GraphModule(model, traced.part(traced.node(end), None if start is None else traced.node(start))).eval()
