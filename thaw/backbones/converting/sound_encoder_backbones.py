"""Backbones of folders with an encoder of speech, as transformers writes them: wav2vec 2.0, HuBERT, WavLM and Whisper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from thaw.backbones.architectures import build, build_with_weights
from thaw.backbones.converting.source import Made, Source
from thaw.backbones.converting.transformers_folders import decimals_of, required_settings, settings_in, tensors_in
from thaw.backbones.encoders.wav2vec2 import RATE, Relative, Step, Wav2Vec2Shape
from thaw.backbones.encoders.whisper import PLACES, WhisperShape
from thaw.backbones.encoders.whisper import shape_in as whisper_in
from thaw.backbones.weights import Weights
from thaw.foundation.errors import BadWeights
from thaw.foundation.parallel.progress import Progress
from thaw.kinds.sounds.preprocessing import WaveformPreprocessing

_OF_WAVES, _WHISPER = ("wav2vec2", "hubert", "wavlm"), "whisper"
TYPES = (*_OF_WAVES, _WHISPER)
"""The model types of `config.json` that are read."""
_PLAIN: Mapping[str, Sequence[object]] = {
    "hidden_act": ("gelu",),
    "feat_extract_activation": ("gelu",),
    "activation_function": ("gelu",),
    "feat_extract_norm": ("group", "layer"),
    "feat_proj_layer_norm": (True,),
    "conv_pos_batch_norm": (False,),
    "adapter_attn_dim": (None,),
    "add_adapter": (False,),
    "scale_embedding": (False,),
    "max_source_positions": (PLACES,),
}
"""The values of settings that are read; other networks have others."""
_LAYER = {
    "attention.out_proj": "attention.joined",
    "layer_norm": "attention_norm",
    "feed_forward.intermediate_dense": "inner",
    "feed_forward.output_dense": "outer",
    "final_layer_norm": "norm",
}
_WHISPER_LAYER = {
    "self_attn.out_proj": "attention.joined",
    "self_attn_layer_norm": "attention_norm",
    "fc1": "inner",
    "fc2": "outer",
    "final_layer_norm": "norm",
}


def backbone_in(source: Source, progress: Progress) -> Made | None:
    """The backbone of a folder of transformers with an encoder of speech; None: it is no such folder.

    Raises:
        BadWeights: a file is missing or damaged, or the network has settings that are not read.
    """
    folder = source.path
    if not (folder / "config.json").is_file():
        return None
    config = required_settings(folder / "config.json")
    if (kind := config.get("model_type")) not in TYPES:
        return None
    for key, allowed in _PLAIN.items():
        if (given := config.get(key, allowed[0])) not in allowed:
            raise BadWeights(
                f"{folder / 'config.json'}: {key} is {given}; {' and '.join(map(str, allowed))} can be read"
            )
    size = (folder / "model.safetensors").stat().st_size if (folder / "model.safetensors").is_file() else 0
    found = _Found(folder, config, tensors_in(folder))
    progress(size, size)
    return _made(found, *(found.of_whisper() if kind == _WHISPER else found.of_waves()))


def _made(found: _Found, architecture: str, tensors: dict[str, Tensor], notes: tuple[str, ...]) -> Made:
    network = build(architecture, 1)
    own = {name: tensor for name, tensor in network.named_buffers() if name.startswith("log_mel.")}
    dim = (
        tensors["entry.positions.weight"].shape[-1]
        if whisper_in(architecture)
        else len(tensors["entry.positions.bias"])
    )
    whole = {**own, **tensors, "fc.weight": torch.zeros(1, dim), "fc.bias": torch.zeros(1)}
    try:
        build_with_weights(architecture, whole)
    except BadWeights as error:
        raise BadWeights(f"{found.folder}: {error}") from error
    metadata = {"architecture": architecture, "preprocessing": found.preprocessing().to_json()}
    return Made(Weights(whole, metadata), notes)


@dataclass(frozen=True, eq=False)
class _Found:
    """A folder's settings and tensors."""

    folder: Path
    config: Mapping[str, Any]
    tensors: Mapping[str, Tensor]

    def number(self, key: str) -> int:
        """A setting."""
        if not isinstance(value := self.config.get(key), int) or value < 1:
            raise BadWeights(f"{self.folder / 'config.json'}: {key} is {value}; a number from 1 on is needed")
        return value

    def tensor(self, name: str) -> Tensor:
        """A tensor by its name in the folder."""
        if name not in self.tensors:
            raise BadWeights(f"{self.folder / 'model.safetensors'} has no `{name}`, so it does not fit its config.json")
        return self.tensors[name]

    def pair(self, theirs: str, ours: str) -> dict[str, Tensor]:
        """A weight and a bias by our names."""
        return {f"{ours}.{part}": self.tensor(f"{theirs}.{part}") for part in ("weight", "bias")}

    def preprocessing(self) -> WaveformPreprocessing:
        """What sounds get before the network. Raises BadWeights: another rate than 16 kHz."""
        stated = settings_in(self.folder / "preprocessor_config.json")
        if (rate := stated.get("sampling_rate", RATE)) != RATE:
            raise BadWeights(f"{self.folder / 'preprocessor_config.json'}: sampling_rate is {rate}; {RATE} can be read")
        unit = stated.get("do_normalize", self.config["model_type"] != _WHISPER)
        return WaveformPreprocessing(RATE, "unit" if unit else "kept")

    def of_waves(self) -> tuple[str, dict[str, Tensor], tuple[str, ...]]:
        """The architecture, the tensors by our names, and notes."""
        shape = self._shape_of_waves()
        named = self._entry_of_waves(shape)
        for number in range(shape.layers):
            theirs, ours = f"encoder.layers.{number}", f"layers.{number}"
            named |= self._layer(theirs, ours, _LAYER, "attention", shape.dim)
            if shape.relative:
                named |= self.pair(f"{theirs}.attention.gru_rel_pos_linear", f"{ours}.attention.gates")
                named[f"{ours}.attention.scales"] = self.tensor(f"{theirs}.attention.gru_rel_pos_const").flatten()
                # One table for all layers, of which each gets its own copy.
                table = self.tensor("encoder.layers.0.attention.rel_attn_embed.weight")
                named[f"{ours}.attention.distances.weight"] = table.clone()
        norm = "last.norm" if shape.order == "pre" else "entry.positions_norm"
        named |= self.pair("encoder.layer_norm", norm)
        notes = [f"{shape.layers} layers of {shape.dim} dimensions every 20 ms, sounds of 16 kHz"]
        if not (self.folder / "preprocessor_config.json").is_file():
            notes += ["the folder has no preprocessor_config.json, so each sound gets the mean 0 and the variance 1"]
        return shape.architecture, named, tuple(notes)

    def _shape_of_waves(self) -> Wav2Vec2Shape:
        steps = zip(*(self.config.get(f"conv_{key}", ()) for key in ("dim", "kernel", "stride")), strict=True)
        relative = None
        if self.config["model_type"] == "wavlm":
            relative = Relative(self.number("num_buckets"), self.number("max_bucket_distance"))
        shape = Wav2Vec2Shape(
            dim=self.number("hidden_size"),
            layers=self.number("num_hidden_layers"),
            heads=self.number("num_attention_heads"),
            inner=self.number("intermediate_size"),
            norm=str(self.config.get("feat_extract_norm", "group")),
            steps=tuple(Step(*step) for step in steps),
            bias=bool(self.config.get("conv_bias")),
            positions=self.number("num_conv_pos_embeddings"),
            groups=self.number("num_conv_pos_embedding_groups"),
            order="pre" if self.config.get("do_stable_layer_norm") else "post",
            decimals=decimals_of(self.folder, float(self.config.get("layer_norm_eps", 1e-5))),
            relative=relative,
        )
        if shape.span() is None:
            raise BadWeights(
                f"{self.folder / 'config.json'}: conv_stride gives places that are no whole number of 10 ms apart"
            )
        return shape

    def _entry_of_waves(self, shape: Wav2Vec2Shape) -> dict[str, Tensor]:
        named: dict[str, Tensor] = {}
        for number in range(len(shape.steps)):
            theirs, ours = f"feature_extractor.conv_layers.{number}", f"entry.convolutions.{number}"
            named[f"{ours}.weight"] = self.tensor(f"{theirs}.conv.weight")
            if shape.bias:
                named[f"{ours}.bias"] = self.tensor(f"{theirs}.conv.bias")
            if shape.norm == "layer" or number == 0:
                named |= self.pair(f"{theirs}.layer_norm", f"entry.norms.{number}")
        named |= self.pair("feature_projection.layer_norm", "entry.norm")
        named |= self.pair("feature_projection.projection", "entry.map")
        named["entry.positions.bias"] = self.tensor("encoder.pos_conv_embed.conv.bias")
        named["entry.positions.weight"] = self._positions()
        return named

    def _positions(self) -> Tensor:
        """The weight of the convolution that tells positions, from its length and direction; transformers renamed both."""
        stem = "encoder.pos_conv_embed.conv"
        older = f"{stem}.weight_g" in self.tensors
        names = ("weight_g", "weight_v") if older else (f"parametrizations.weight.original{part}" for part in (0, 1))
        length, direction = (self.tensor(f"{stem}.{name}") for name in names)
        return direction * (length / torch.norm_except_dim(direction, 2, 2))

    def of_whisper(self) -> tuple[str, dict[str, Tensor], tuple[str, ...]]:
        """See `of_waves`."""
        shape = WhisperShape(
            dim=self.number("d_model"),
            layers=self.number("encoder_layers"),
            heads=self.number("encoder_attention_heads"),
            inner=self.number("encoder_ffn_dim"),
            mels=self.number("num_mel_bins"),
        )
        named = self.pair("encoder.conv1", "entry.first") | self.pair("encoder.conv2", "entry.second")
        named["entry.positions.weight"] = self.tensor("encoder.embed_positions.weight")
        for number in range(shape.layers):
            named |= self._layer(f"encoder.layers.{number}", f"layers.{number}", _WHISPER_LAYER, "self_attn", shape.dim)
        named |= self.pair("encoder.layer_norm", "last")
        sizes = f"{shape.layers} layers of {shape.dim} dimensions every 20 ms, {shape.mels} bands, windows of 30 s"
        return shape.architecture, named, (sizes, "the decoder, which writes transcripts, is left out")

    def _layer(self, theirs: str, ours: str, names: Mapping[str, str], attention: str, dim: int) -> dict[str, Tensor]:
        named: dict[str, Tensor] = {}
        for name, own in names.items():
            named |= self.pair(f"{theirs}.{name}", f"{ours}.{own}")
        stems = [f"{theirs}.{attention}.{each}_proj" for each in "qkv"]
        joined = f"{ours}.attention.queries_keys_values"
        named[f"{joined}.weight"] = torch.cat([self.tensor(f"{stem}.weight") for stem in stems])
        # Whisper's keys have no bias, which would change nothing in a softmax.
        biases = [self.tensors.get(f"{stem}.bias", torch.zeros(dim)) for stem in stems]
        named[f"{joined}.bias"] = torch.cat(biases)
        return named
