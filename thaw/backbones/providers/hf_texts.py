"""Text towers of transformers' CLIP and SigLIP in a folder of their own: tensors as safetensors, the settings, and the library's own tokenizer."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from thaw.backbones.providers.packages import package
from thaw.backbones.providers.undrawn import Undrawn
from thaw.backbones.weights import digest_tensors, read_weights, write_weights
from thaw.foundation.errors import BadArtifact, BadParameters, BadWeights
from thaw.foundation.files.atomic import write_text
from thaw.foundation.files.content import metadata_in

DIGEST = "texts_digest"
"""The key in the metadata of a backbone's file by which it names its text tower."""
DUAL = {"clip": "CLIPTextModel", "siglip": "SiglipTextModel"}
"""transformers' types of networks with two towers, and the classes of their text towers."""
_EXTRA = "hf"
_TENSORS, _SETTINGS = "text.safetensors", "settings.json"
_SCALE, _BIAS, _PROJECTION, _TEXT = "logit_scale", "logit_bias", "text_projection.", "text_model."
_BATCH = 64


def tensors_in(model: Any) -> dict[str, Tensor]:
    """The tensors of transformers' network with two towers that texts need."""
    wanted = (_SCALE, _BIAS, _PROJECTION, _TEXT)
    return {name: tensor.detach().float() for name, tensor in model.state_dict().items() if name.startswith(wanted)}


def writer_of(model: Any, place: str) -> Callable[[Path], None]:
    """A function that writes the text tower of transformers' network into a folder. place: of the tokenizer, a folder or a name."""
    tensors, config = tensors_in(model), model.config
    tokenizer = package("transformers", _EXTRA).AutoTokenizer.from_pretrained(
        place, trust_remote_code=False, local_files_only=Path(place).is_dir()
    )

    def write(folder: Path) -> None:
        tokenizer.save_pretrained(folder)
        write_weights(folder / _TENSORS, tensors, {})
        settings = {"type": config.model_type, "text": config.text_config.to_dict()}
        write_text(folder / _SETTINGS, json.dumps(settings, sort_keys=True, default=str) + "\n")

    return write


@dataclass(frozen=True, eq=False)
class HfTextTower:
    """See `thaw.backbones.text_towers.TextTower`. masked: whether the network is told which tokens are padding; SigLIP has learnt without."""

    model: nn.Module
    projection: nn.Module
    tokenizer: Any
    longest: int
    masked: bool
    scale: float
    bias: float

    def embed(self, texts: Sequence[str]) -> Tensor:
        """See `TextTower`."""
        parts = [self._embed(texts[start : start + _BATCH]) for start in range(0, len(texts), _BATCH)]
        return torch.cat(parts)

    def _embed(self, texts: Sequence[str]) -> Tensor:
        tokens = self.tokenizer(list(texts), padding="max_length", max_length=self.longest)
        for text, ids in zip(texts, tokens["input_ids"], strict=True):
            if len(ids) > self.longest:
                raise BadParameters(
                    f"strategy.prompts: {text!r} has {len(ids)} tokens, and the text tower takes {self.longest}; shorten it"
                )
        mask = {"attention_mask": torch.tensor(tokens["attention_mask"])} if self.masked else {}
        with torch.inference_mode():
            vectors = self.projection(self.model(torch.tensor(tokens["input_ids"]), **mask).pooler_output)
            normed: Tensor = vectors / vectors.norm(p=2, dim=-1, keepdim=True)
        return normed.clone()


def read_tower(folder: Path, weights: Path) -> HfTextTower:
    """Read the files of `writer_of`. weights: the backbone's file that they belong to.

    Raises:
        BadArtifact: a file is missing or damaged, or the tower is not that of the backbone.
        BadParameters: transformers is not installed.
    """
    again = f"remove it with {weights.name}, and bring or convert the backbone again"
    try:
        tensors = dict(read_weights(folder / _TENSORS).tensors)
        settings = json.loads((folder / _SETTINGS).read_text())
        model, projection = _built(settings, tensors)
    except (BadWeights, OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
        raise BadArtifact(f"the text tower {folder} is damaged ({str(error).splitlines()[0]}); {again}") from error
    if digest_tensors(tensors) != metadata_in(weights).get(DIGEST):
        raise BadArtifact(f"the text tower {folder} is not that of {weights}; {again}")
    tokenizer = package("transformers", _EXTRA).AutoTokenizer.from_pretrained(
        str(folder), trust_remote_code=False, local_files_only=True
    )
    return HfTextTower(
        model,
        projection,
        tokenizer,
        longest=int(model.config.max_position_embeddings),  # type: ignore[union-attr, arg-type]
        masked=settings["type"] == "clip",
        scale=float(tensors[_SCALE].exp()),
        bias=float(tensors[_BIAS]) if _BIAS in tensors else 0.0,
    )


def _built(settings: dict[str, Any], tensors: dict[str, Tensor]) -> tuple[nn.Module, nn.Module]:
    """transformers' text model with these tensors, and the projection behind it."""
    auto = package("transformers.models.auto.configuration_auto", _EXTRA)
    kind = settings["type"]
    modeling = package(f"transformers.models.{kind}.modeling_{kind}", _EXTRA)
    config = auto.CONFIG_MAPPING[f"{kind}_text_model"](**settings["text"])
    with Undrawn():
        model: nn.Module = getattr(modeling, DUAL[kind])(config)
    model.load_state_dict({name.removeprefix(_TEXT): each for name, each in tensors.items() if name.startswith(_TEXT)})
    projection: nn.Module = nn.Identity()
    if (weight := tensors.get(f"{_PROJECTION}weight")) is not None:
        projection = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
        projection.load_state_dict({"weight": weight})
    return model.eval().requires_grad_(False), projection.requires_grad_(False)
