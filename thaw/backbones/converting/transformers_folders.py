"""Files of folders that transformers writes: settings as JSON, and tensors as safetensors alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from thaw.backbones.weights import read_weights
from thaw.foundation.errors import BadWeights
from thaw.foundation.files.content import is_safetensors, misplaced_file


def required_settings(file: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        BadWeights: there is no file, or it holds no JSON object.
    """
    if not file.is_file():
        raise BadWeights(f"{file} does not exist; a folder of transformers or sentence-transformers has it")
    return settings_in(file)


def settings_in(file: Path) -> dict[str, Any]:
    """The object in a JSON file; empty if there is no file."""
    if not file.is_file():
        return {}
    content = parsed(file)
    if not isinstance(content, dict):
        raise BadWeights(f"{file} holds no JSON object; fetch it again")
    return content


def parsed(file: Path) -> Any:
    """The content of a JSON file. Raises BadWeights: it is damaged."""
    try:
        return json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise BadWeights(f"{file} is no JSON, or damaged ({error}); fetch it again") from error


def tensors_in(folder: Path) -> Mapping[str, Tensor]:
    """The tensors of `model.safetensors`, float32, without the prefix of the model's type.

    Raises:
        BadWeights: there is no such file, or it is damaged.
    """
    file = folder / "model.safetensors"
    if not file.is_file():
        raise BadWeights(_instead(folder))
    if not is_safetensors(file):
        raise BadWeights(f"{file} {misplaced_file(file) or 'is no safetensors file, or damaged; fetch it again'}")
    return {
        re.sub(r"^(bert|distilbert|roberta|wav2vec2|hubert|wavlm|model)\.", "", name): tensor
        for name, tensor in read_weights(file).tensors.items()
    }


def _instead(folder: Path) -> str:
    """Why a folder without `model.safetensors` is not read, and what to do."""
    if (folder / "model.safetensors.index.json").is_file():
        return f"{folder} has its weights in several files; save them in one: `AutoModel.from_pretrained(FOLDER).save_pretrained(OUT, max_shard_size='100GB')`"
    if (folder / "pytorch_model.bin").is_file():
        return (
            f"{folder} has only pytorch_model.bin, a pickle, which is not read; transformers writes model.safetensors: "
            "`AutoModel.from_pretrained(FOLDER).save_pretrained(OUT)`"
        )
    return f"{folder} has no model.safetensors; fetch it from where config.json is"


def decimals_of(folder: Path, epsilon: float) -> int:
    """D of an epsilon 10^-D. Raises BadWeights: it is another number."""
    written = re.fullmatch(r"1e-0*(\d+)", f"{epsilon:.0e}")
    if written is None or float(written[0]) != epsilon:
        raise BadWeights(f"{folder}: layer_norm_eps is {epsilon}; powers of ten, such as 1e-12, are read")
    return int(written[1])
