"""Backbones: a pretrained network, frozen, cut at named layers, with the preprocessing that belongs to it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from blake3 import blake3
from torch import fx, nn
from torchvision.models.feature_extraction import DualGraphModule

from thaw.backbones.architectures import (
    build_seeded,
    build_with_part,
    build_with_weights,
    classifier_input,
    default_preprocessing,
    has_channels_last,
)
from thaw.backbones.blocks import spread_layers
from thaw.backbones.fitted_weights import fit_weights
from thaw.backbones.graph import Traced, trace
from thaw.backbones.places import Span, spans_of
from thaw.backbones.pooling import pool
from thaw.backbones.providers.networks import TOLD, preprocessing_in
from thaw.backbones.providers.origin import KEY, Origin, origin_in
from thaw.backbones.tokens import tokens_of
from thaw.backbones.usable import refuse_useless
from thaw.backbones.weights import Weights, digest_tensors, read_weights, write_weights
from thaw.foundation.errors import BadArtifact, BadParameters
from thaw.foundation.files.atomic import write_text
from thaw.kinds.batches import Batch, laid_out
from thaw.kinds.kind import IDENTITY, Kind, Preprocessing, View, Viewing, Words
from thaw.kinds.registry import kind_named, preprocessing_from_json
from thaw.params.sections import BackboneParams, Pooling

AUTO, BLOCKS = "auto", "blocks"


@dataclass(frozen=True, eq=False)
class Backbone:
    """A frozen network that ends at its cut layers.

    `layers` are the cut layers' node names; `extractor` maps float32 [B, 3, H, W] to a tensor for each of them; `model` is the whole network with its
    original classifier; `weights_digest` is BLAKE3 of its tensors, hex; `pooling` makes one vector of maps and tokens. A backbone that was written
    and read again is sliced: it holds only the tensors that its layers need, and their digest is `held_digest`; its other tensors have no memory.
    notes: sentences on what of the weights' file was renamed and left out. origin: of the weights, if their file states it.
    """

    architecture: str
    preprocessing: Preprocessing
    layers: tuple[str, ...]
    model: nn.Module
    extractor: nn.Module
    weights_digest: str
    held_digest: str
    pooling: Pooling = "average"
    notes: tuple[str, ...] = ()
    origin: Origin | None = None

    @property
    def kind(self) -> Kind:
        """The kind of examples that the backbone takes."""
        return kind_named(self.preprocessing.kind)

    @property
    def words(self) -> Words:
        """The kind's words for examples."""
        return self.kind.words

    def features(self, batch: Batch) -> dict[str, torch.Tensor]:
        """Features of B prepared examples: float32 [B, dim] for each cut layer, on the same device."""
        with torch.inference_mode():
            mask = self.preprocessing.mask(batch)
            outputs = self.extractor(laid_out(self.preprocessing.normalise(batch)))
            return {name: self.pool(name, output, mask) for name, output in outputs.items()}

    def pool(self, layer: str, output: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """A layer's output of B examples as float [B, dim]; mask: bool [B, T], true where the examples have no padding."""
        return pool(output, self.pooling, mask, self.span(layer), tokens_of(self.model))

    def span(self, layer: str) -> Span | None:
        """The places of a layer, if the network states them."""
        return spans_of(self.model).get(layer)

    @property
    def has_vocabulary(self) -> bool:
        """Whether the network knows some words and not others."""
        return hasattr(self.model, "unknown_share")

    def unknown_share(self, batch: Batch) -> float:
        """The share of the words of prepared examples that a network with a vocabulary does not know."""
        share: float = self.model.unknown_share(batch)  # type: ignore[operator]  # torch's stubs take attributes for tensors
        return share

    def fingerprint(self, precision: str, dtype: str, *, pooled: bool = False, view: View = IDENTITY) -> str:
        """A hash, hex, of everything that changes a number: the architecture, the weights, the preprocessing and its result on a probe, the
        precision of the arithmetic, the stored dtype, the view, and the pooling of a layer with maps or tokens. The engine, the batch size and the device are
        not in the hash.
        """
        preprocessing = [self.preprocessing.to_json(), self.preprocessing.probe_digest()]
        stored = [precision, dtype, view, self.pooling if pooled else "none"]
        return blake3(json.dumps([self.architecture, self.weights_digest, *preprocessing, *stored]).encode()).hexdigest(
            16
        )

    def only(self, layers: tuple[str, ...]) -> "Backbone":
        """The same backbone with some of its cut layers; it runs only up to the last of them."""
        if layers == self.layers:
            return self
        return replace(self, layers=layers, extractor=_extractor(self.model, layers))

    def build(self, num_classes: int, seed: int) -> nn.Module:
        """The same architecture with random weights and a new classifier, ready to be trained; a network of words keeps its vocabulary."""
        model = build_seeded(self.architecture, num_classes, seed)
        for name in getattr(model, "vocabulary", ()):
            model.get_buffer(name).copy_(self.model.get_buffer(name))
        return model

    def randomised(self, seed: int) -> "Backbone":
        """The same architecture, cut layers and preprocessing with random weights, as a baseline."""
        tensors = self.build(1000, seed).state_dict()
        return cut(self.architecture, Weights(tensors, {}), self.layers, self.preprocessing, self.pooling)

    def is_unchanged(self) -> bool:
        """Whether the weights still have the digest that they were read with."""
        tensors = {name: tensor for name, tensor in self.model.state_dict().items() if not tensor.is_meta}
        return digest_tensors(tensors) == self.held_digest

    def needed_tensors(self) -> dict[str, torch.Tensor]:
        """The tensors that its layers depend on, by their names in the network's `state_dict`."""
        used = set(self.extractor.state_dict())
        inside = {name.rpartition(".")[0] for name in used}
        inside |= {parent for name in inside for parent in _parents(name)}
        # Tracing may compute with a buffer; then the extractor holds only the result.
        used |= {name for name, _ in self.model.named_buffers() if name.rpartition(".")[0] in inside}
        return {name: tensor for name, tensor in self.model.state_dict().items() if name in used}


def read_backbone(params: BackboneParams, decoding: str | None = None) -> Backbone:
    """Read the backbone that the parameters name; decoding: of the set that it is used on, as the manifest holds it.

    Raises:
        BadWeights: the weights are missing, damaged, or fit no architecture.
        BadParameters: there is no such architecture or cut layer.
    """
    path = Path(params.weights)
    weights = read_weights(path)
    asked = weights.metadata.get("architecture") if params.architecture == AUTO else params.architecture
    fitted = fit_weights(weights.tensors, path, asked)
    architecture = fitted.architecture
    stated = weights.metadata.get("preprocessing")
    told = None if stated else preprocessing_in(weights.tensors)
    preprocessing = preprocessing_from_json(stated) if stated else told or default_preprocessing(architecture, path)
    preprocessing = _viewed(preprocessing.with_decoding(params.decoding).of_set(decoding), params)
    backbone = cut(architecture, Weights(fitted.tensors, {}), params.layers, preprocessing, params.pooling)
    refuse_useless(backbone.model, backbone.needed_tensors(), fitted, path)
    return replace(
        backbone, notes=(*weights.notes, *fitted.notes, *([TOLD] if told else [])), origin=origin_in(weights.metadata)
    )


def _viewed(preprocessing: Preprocessing, params: BackboneParams) -> Preprocessing:
    if not params.windows and params.frame == "first":
        return preprocessing
    if not isinstance(preprocessing, Viewing):
        words = kind_named(preprocessing.kind).words
        raise BadParameters(
            f"backbone.windows and backbone.frame: the backbone takes {words.many}, which have neither windows nor frames; remove them"
        )
    return preprocessing.with_windows(params.windows, params.frame)


def cut(
    architecture: str,
    weights: Weights,
    layers: tuple[str, ...],
    preprocessing: Preprocessing,
    pooling: Pooling = "average",
) -> Backbone:
    """Build the frozen network without the part beyond its cut layers.

    Raises:
        BadWeights: the weights do not fit the architecture.
        BadParameters: there is no such cut layer; the message names the existing layers.
    """
    model = build_with_weights(architecture, weights.tensors)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    names = _checked(architecture, model, _names(model, layers))
    extractor = _extractor(model, names)
    digest = digest_tensors(model.state_dict())
    return Backbone(architecture, preprocessing, names, model, extractor, digest, digest, pooling)


def _names(model: nn.Module, layers: Sequence[str]) -> tuple[str, ...]:
    """The named cut layers, once each, in order."""
    names: list[str] = []
    for layer in layers:
        if layer == AUTO:
            names.append(classifier_input(model))
        elif layer == BLOCKS:
            names += spread_layers(model)
        else:
            names.append(layer)
    return tuple(dict.fromkeys(names))


def _checked(architecture: str, model: nn.Module, names: Sequence[str]) -> tuple[str, ...]:
    """The layers in the order in which they run: the last one is the deepest, whatever order they were named in.

    Raises:
        BadParameters: layers do not exist, cannot be pooled, or are named twice.
    """
    traced, given = trace(model), dict[fx.Node, str]()
    for name in names:
        try:
            node = traced.node(name)
        except KeyError as error:
            raise BadParameters(
                f"backbone.layers: {', '.join(names)} given; {architecture} has {_blocks(traced)}"
            ) from error
        if node in given:
            raise BadParameters(f"backbone.layers: {given[node]} and {name} are the same layer; leave one out")
        given[node] = name
    if wrong := [name for name in names if has_channels_last(model, name)]:
        raise BadParameters(
            f"backbone.layers: {', '.join(wrong)} of {architecture} has its channels last, which cannot be pooled; permute, avgpool and flatten can be cut"
        )
    places = list(traced.names)
    if (spans := spans_of(model)) and (unknown := [name for name in names if name not in spans]):
        raise BadParameters(
            f"backbone.layers: {', '.join(unknown)} given; the layers of {architecture} that can be pooled are {', '.join(spans)}"
        )
    return tuple(given[node] for node in sorted(given, key=places.index))


def _extractor(model: nn.Module, layers: tuple[str, ...]) -> nn.Module:
    """The network up to its layers, without the rest of the model.

    torchvision's `create_feature_extractor` would keep every operation that an assertion beyond the layers reads; in transformers these are all operations.
    """
    training, evaluation = (trace(model, training=mode).part_to(layers) for mode in (True, False))
    extractor: nn.Module = DualGraphModule(model, training, evaluation)
    return extractor.eval().requires_grad_(False)


def _blocks(traced: Traced) -> str:
    """The nodes of the two upper levels, in order, for an error."""
    return ", ".join(dict.fromkeys(".".join(node.split(".")[:2]) for node in traced.names.values()))


def _parents(name: str) -> list[str]:
    """The qualified names of the modules around a module, from the network itself."""
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(len(parts))]


def write_backbone(backbone: Backbone, folder: Path) -> None:
    """Write `backbone.safetensors`, with the tensors that the cut layers need, and `backbone.json`; `read_written_backbone` reads the same backbone."""
    tensors = backbone.needed_tensors()
    write_weights(folder / "backbone.safetensors", tensors, {"weights_digest": backbone.weights_digest})
    description = {
        "architecture": backbone.architecture,
        "layers": list(backbone.layers),
        "pooling": backbone.pooling,
        "preprocessing": json.loads(backbone.preprocessing.to_json()),
        "weights_digest": backbone.weights_digest,
        "tensors_digest": digest_tensors(tensors),
    } | ({} if backbone.origin is None else {"origin": asdict(backbone.origin)})
    write_text(folder / "backbone.json", json.dumps(description, indent=2) + "\n")


def read_written_backbone(folder: Path) -> Backbone:
    """Read the files of `write_backbone`: the backbone is sliced, and its features are the same bit for bit.

    Raises:
        BadArtifact: the weights have changed since they were written.
    """
    description = json.loads((folder / "backbone.json").read_text())
    weights = read_weights(folder / "backbone.safetensors")
    digest, origin = digest_tensors(weights.tensors), weights.metadata.get("weights_digest")
    if (digest, origin) != (description.get("tensors_digest"), description["weights_digest"]):
        raise BadArtifact(f"{folder}: the backbone's weights are not those that were written; register the model again")
    model = build_with_part(description["architecture"], weights.tensors)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    layers = tuple(description["layers"])
    return Backbone(
        architecture=description["architecture"],
        preprocessing=preprocessing_from_json(json.dumps(description["preprocessing"])),
        layers=layers,
        model=model,
        extractor=_extractor(model, layers),
        weights_digest=description["weights_digest"],
        held_digest=digest,
        pooling=description["pooling"],
        origin=origin_in({KEY: json.dumps(description[KEY])}) if KEY in description else None,
    )
