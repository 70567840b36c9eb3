"""Weights on disk: safetensors, or PyTorch checkpoints of plain tensors."""

import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from blake3 import blake3
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from thaw.foundation.errors import BadWeights
from thaw.foundation.files.atomic import atomic


@dataclass(frozen=True)
class Weights:
    """Tensors by name, with floating-point numbers as float32, and the file's metadata."""

    tensors: Mapping[str, torch.Tensor]
    metadata: Mapping[str, str]


def read_weights(path: Path) -> Weights:
    """Read a `.safetensors`, `.pth` or `.pt` file.

    In a checkpoint the tensors may be wrapped in `state_dict` or `model`, and their names may begin with `module.`.

    Raises:
        BadWeights: the file is missing, damaged, or holds more than plain tensors.
    """
    if not path.is_file():
        raise BadWeights(
            f"backbone.weights: {path} is no file; give a .pth or .safetensors file, or run `thaw run` to fetch it"
        )
    try:
        weights = _read_safetensors(path) if path.suffix == ".safetensors" else _read_checkpoint(path)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, ValueError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadWeights(
            f"{path} cannot be read as weights ({reason}); only files of plain tensors are loaded"
        ) from error
    if not weights.tensors:
        raise BadWeights(f"{path} holds no tensors; save the model's `state_dict()`")
    return weights


def _read_safetensors(path: Path) -> Weights:
    with safe_open(path, framework="pt") as file:
        tensors = {name: _widen(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118  # not a mapping
        return Weights(tensors, file.metadata() or {})


def _read_checkpoint(path: Path) -> Weights:
    content: Any = torch.load(path, map_location="cpu", weights_only=True)
    for wrapper in ("state_dict", "model"):
        if isinstance(content, dict) and isinstance(content.get(wrapper), dict):
            content = content[wrapper]
    if not isinstance(content, dict):
        raise ValueError("no dictionary of tensors")
    tensors = {
        str(name).removeprefix("module."): _widen(value)
        for name, value in content.items()
        if isinstance(value, torch.Tensor)
    }
    return Weights(tensors, {})


def _widen(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor


def write_weights(path: Path, tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> None:
    """Write tensors and metadata as safetensors, atomically."""
    with atomic(path) as temporary:
        save_file({name: tensor.contiguous().cpu() for name, tensor in tensors.items()}, temporary, dict(metadata))


def digest_tensors(tensors: Mapping[str, torch.Tensor]) -> str:
    """BLAKE3 over names, types, shapes and bytes in the order of the names, as hex; the same in any file format."""
    hasher = blake3()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        hasher.update(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode())
        hasher.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return hasher.hexdigest()
