"""Folders of encoders of BERT's family, as transformers and sentence-transformers write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from thaw.backbones.converting.transformers_folders import (
    decimals_of,
    parsed,
    required_settings,
    settings_in,
    tensors_in,
)
from thaw.backbones.encoders.bert import BertShape
from thaw.foundation.errors import BadWeights

_ACTIVATIONS = {"gelu": "gelu", "gelu_new": "tanh", "gelu_fast": "tanh", "gelu_pytorch_tanh": "tanh"}
_BERT_LAYER = {
    "attention.self.query": "query",
    "attention.self.key": "key",
    "attention.self.value": "value",
    "attention.output.dense": "attention.joined",
    "attention.output.LayerNorm": "attention_norm",
    "intermediate.dense": "inner",
    "output.dense": "outer",
    "output.LayerNorm": "norm",
}
_DISTILBERT_LAYER = {
    "attention.q_lin": "query",
    "attention.k_lin": "key",
    "attention.v_lin": "value",
    "attention.out_lin": "attention.joined",
    "sa_layer_norm": "attention_norm",
    "ffn.lin1": "inner",
    "ffn.lin2": "outer",
    "output_layer_norm": "norm",
}


@dataclass(frozen=True)
class _Dialect:
    """The names of one model type. stack: of its layers. layer: our modules by its own names in a layer. settings: its keys of the common settings."""

    stack: str
    layer: Mapping[str, str]
    settings: Mapping[str, str]


_KEYS = {
    "dim": "hidden_size",
    "layers": "num_hidden_layers",
    "heads": "num_attention_heads",
    "inner": "intermediate_size",
    "activation": "hidden_act",
}
_BERT = _Dialect("encoder.layer", _BERT_LAYER, _KEYS)
_DISTILBERT = _Dialect(
    "transformer.layer",
    _DISTILBERT_LAYER,
    {"dim": "dim", "layers": "n_layers", "heads": "n_heads", "inner": "hidden_dim", "activation": "activation"},
)
_DIALECTS = {"bert": _BERT, "distilbert": _DISTILBERT, "roberta": _BERT, "xlm-roberta": _BERT}
_OFFSET = {"roberta", "xlm-roberta"}
"""Model types whose first position is the one behind the number of padding."""
_LEAST = 8
"""Pieces of the shortest window that makes sense."""


@dataclass(frozen=True, eq=False)
class Encoder:
    """A folder's network. tensors: float32, by the names of `thaw.backbones.encoders.bert.Bert`, without a classifier. folder: of the tokenizer.
    tokenizer_settings: of `tokenizer_config.json`. lowercase: whether texts are written in small letters first. notes: sentences on what was left out."""

    shape: BertShape
    tensors: Mapping[str, Tensor]
    folder: Path
    tokenizer_settings: Mapping[str, Any]
    lowercase: bool
    notes: tuple[str, ...]


def read_encoder(folder: Path) -> Encoder:
    """Read the network of a folder with `config.json` and `model.safetensors`; of sentence-transformers' folders also the pooling and the longest input.

    Raises:
        BadWeights: the folder lacks a file, one of them is damaged, or the network is of another family.
    """
    modules = _modules(folder)
    inside = folder / modules[0].path if modules else folder
    config, sentences = required_settings(inside / "config.json"), settings_in(inside / "sentence_bert_config.json")
    dialect = _dialect(inside, config)
    pooling, notes = _pooling(folder, modules)
    found = _Found(inside, tensors_in(inside), config, dialect)
    tokenizer_settings = settings_in(inside / "tokenizer_config.json")
    limits = (sentences.get("max_seq_length"), tokenizer_settings.get("model_max_length"))
    longest = next((int(limit) for limit in limits if limit is not None), found.positions)
    shape = BertShape(
        pieces=len(found.tensor("embeddings.word_embeddings.weight")),
        dim=found.number("dim"),
        layers=found.number("layers"),
        heads=found.number("heads"),
        inner=found.number("inner"),
        window=min(longest, found.positions),
        activation=_activation(inside, str(config.get(dialect.settings["activation"], "gelu"))),
        decimals=decimals_of(inside, float(config.get("layer_norm_eps", 1e-12))),
        pooling=pooling,
        unit=any(module.type == "Normalize" for module in modules),
    )
    if shape.window < _LEAST:
        raise BadWeights(
            f"{inside} takes {shape.window} pieces at once; {_LEAST} are the least that a text can be read by"
        )
    if shape.dim % shape.heads:
        raise BadWeights(f"{inside / 'config.json'}: {shape.heads} heads do not divide {shape.dim} dimensions")
    if (prompt := settings_in(folder / "config_sentence_transformers.json").get("default_prompt_name")) is not None:
        notes.append(f"the prompt {prompt!r} that the folder sets before every text is left out")
    lowercase = bool(sentences.get("do_lower_case"))
    return Encoder(shape, found.renamed(shape), inside, tokenizer_settings, lowercase, tuple(notes))


@dataclass(frozen=True)
class _Module:
    """One step of sentence-transformers; type: such as `Pooling`. path: of its folder."""

    type: str
    path: str


def _modules(folder: Path) -> list[_Module]:
    """The steps of a folder of sentence-transformers; none in other folders."""
    file = folder / "modules.json"
    if not file.is_file():
        return []
    listed = parsed(file)
    try:
        modules = [_Module(str(each["type"]).rpartition(".")[2], str(each["path"])) for each in listed]
    except (TypeError, KeyError) as error:
        raise BadWeights(f"{file} is no list of sentence-transformers' modules; fetch it again") from error
    if not modules or modules[0].type != "Transformer":
        first = modules[0].type if modules else "nothing"
        raise BadWeights(f"{folder} begins with {first}; folders that begin with a Transformer are read")
    return modules


def _pooling(folder: Path, modules: list[_Module]) -> tuple[str, list[str]]:
    """The pooling's name in `thaw.backbones.encoders.bert.POOLINGS`, and notes."""
    others = [module.type for module in modules if module.type not in ("Transformer", "Pooling", "Normalize")]
    notes = [f"the folder's module {other} behind the encoder is left out" for other in others]
    stated = next((module for module in modules if module.type == "Pooling"), None)
    if stated is None:
        return "mean", [*notes, "the folder states no pooling, so the mean of all pieces stands for a text"]
    settings = required_settings(folder / stated.path / "config.json")
    flags = [
        key.removeprefix("pooling_mode_")
        for key, value in settings.items()
        if key.startswith("pooling_mode_") and value is True
    ]
    modes = [str(settings["pooling_mode"])] if "pooling_mode" in settings else flags
    match modes:
        case ["mean" | "mean_tokens"]:
            return "mean", notes
        case ["cls" | "cls_token"]:
            return "first", notes
    raise BadWeights(f"{folder} pools by {' and '.join(modes) or 'nothing'}; mean and cls, each alone, are read")


def _dialect(folder: Path, config: Mapping[str, Any]) -> _Dialect:
    kind = str(config.get("model_type"))
    if kind not in _DIALECTS:
        raise BadWeights(
            f"{folder} holds a network of the type {kind}; encoders of the types {', '.join(_DIALECTS)} are read"
        )
    if (positions := config.get("position_embedding_type", "absolute")) != "absolute" or config.get("is_decoder"):
        what = "a decoder" if config.get("is_decoder") else f"an encoder with positions of the type {positions}"
        raise BadWeights(f"{folder} holds {what}; encoders with absolute positions are read")
    return _DIALECTS[kind]


def _activation(folder: Path, name: str) -> str:
    if name not in _ACTIVATIONS:
        raise BadWeights(f"{folder} has the activation {name}; {', '.join(_ACTIVATIONS)} are read")
    return _ACTIVATIONS[name]


@dataclass(frozen=True, eq=False)
class _Found:
    """A folder's tensors and settings. tensors: by the names of its own type."""

    folder: Path
    tensors: Mapping[str, Tensor]
    config: Mapping[str, Any]
    dialect: _Dialect

    def number(self, name: str) -> int:
        """A setting by its common name."""
        key = self.dialect.settings[name]
        if not isinstance(value := self.config.get(key), int) or value < 1:
            raise BadWeights(f"{self.folder / 'config.json'}: {key} is {value}; a number from 1 on is needed")
        return value

    def tensor(self, name: str) -> Tensor:
        """A tensor by its name; the oldest files call scales and shifts of normalisations gamma and beta."""
        older = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        for each in (name, older):
            if each in self.tensors:
                return self.tensors[each]
        raise BadWeights(f"{self.folder / 'model.safetensors'} has no `{name}`, so it does not fit its config.json")

    @property
    def first(self) -> int:
        """The row of the first position."""
        return int(self.config.get("pad_token_id", 1)) + 1 if self.config["model_type"] in _OFFSET else 0

    @property
    def positions(self) -> int:
        """The number of positions."""
        return len(self.tensor("embeddings.position_embeddings.weight")) - self.first

    def renamed(self, shape: BertShape) -> dict[str, Tensor]:
        """The tensors by our names. The vector of the first token type, which a single text has everywhere, is added to the positions."""
        positions = self.tensor("embeddings.position_embeddings.weight")[self.first : self.first + shape.window]
        types = "embeddings.token_type_embeddings.weight"
        named = {
            "embeddings.pieces.weight": self.tensor("embeddings.word_embeddings.weight"),
            "embeddings.positions.weight": positions + self.tensor(types)[0] if types in self.tensors else positions,
        }
        named |= self._pair("embeddings.LayerNorm", "embeddings.norm")
        for number in range(shape.layers):
            named |= self._layer(f"{self.dialect.stack}.{number}", f"layers.{number}")
        return named

    def _layer(self, source: str, own: str) -> dict[str, Tensor]:
        named: dict[str, Tensor] = {}
        for theirs, ours in self.dialect.layer.items():
            named |= self._pair(f"{source}.{theirs}", f"{own}.{ours}")
        for part in ("weight", "bias"):
            three = [named.pop(f"{own}.{each}.{part}") for each in ("query", "key", "value")]
            named[f"{own}.attention.queries_keys_values.{part}"] = torch.cat(three)
        return named

    def _pair(self, theirs: str, ours: str) -> dict[str, Tensor]:
        return {f"{ours}.{part}": self.tensor(f"{theirs}.{part}") for part in ("weight", "bias")}
