"""Weights on disk: safetensors, or PyTorch checkpoints of plain tensors."""

import json
import pickle
import re
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from blake3 import blake3
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from thaw.backbones.checkpoints import NoTensors, UnsafeCheckpoint, read_checkpoint
from thaw.backbones.converting.fasttext_files import is_fasttext
from thaw.backbones.converting.vector_files import is_vectors
from thaw.foundation.errors import BadWeights
from thaw.foundation.files.atomic import atomic
from thaw.foundation.files.content import is_safetensors, misplaced_file

_UNREADABLE = (
    SafetensorError,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    struct.error,
    RuntimeError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OSError,
)
"""The errors of readers of damaged files; a damaged pickle may raise almost anything."""
_UNSUPPORTED = re.compile(r"GLOBAL ([\w.]+) was not an allowed")


@dataclass(frozen=True)
class Weights:
    """Tensors by name, with floating-point numbers as float32, and the file's metadata. notes: sentences on what of the file was chosen."""

    tensors: Mapping[str, torch.Tensor]
    metadata: Mapping[str, str]
    notes: tuple[str, ...] = ()


def read_weights(path: Path) -> Weights:
    """Read safetensors, or a checkpoint of PyTorch; the content tells which, and the file's name does not matter.

    Raises:
        BadWeights: the file is missing, damaged, something else, or cannot be read without running code.
    """
    if not path.is_file():
        raise BadWeights(
            f"backbone.weights: {path} is no file; give a .pth or .safetensors file, or run `thaw run` to fetch it"
        )
    try:
        if (wrong := misplaced_file(path)) is not None:
            raise BadWeights(f"{path} {wrong}")
        if is_fasttext(path) or is_vectors(path):
            raise BadWeights(
                f"{path} holds word vectors; `thaw convert {path} vectors.safetensors` makes a backbone of them, once"
            )
        weights = _read_safetensors(path) if is_safetensors(path) else _read_checkpoint(path)
    except UnsafeCheckpoint as error:
        raise BadWeights(
            f"{path} {error}; only files of plain tensors are loaded, so save the model's `state_dict()`"
        ) from error
    except NoTensors as error:
        raise BadWeights(f"{path} {error}") from error
    except _UNREADABLE as error:
        raise BadWeights(f"{path} {_reason(error)}") from error
    if not weights.tensors:
        raise BadWeights(f"{path} holds no tensors; save the model's `state_dict()`")
    return weights


_DAMAGED = "is damaged, or no file of weights; only safetensors and PyTorch's files of plain tensors are loaded"


def _reason(error: Exception) -> str:
    """The end of a sentence for a reader's error. The readers' own messages advise to load code, and are not passed on."""
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read ({error.strerror})"
    if (named := _UNSUPPORTED.search(str(error))) is not None:
        return f"holds an object of {named[1]} in PyTorch's old format; only files of plain tensors are loaded, so save the model's `state_dict()`"
    return _DAMAGED


def _read_safetensors(path: Path) -> Weights:
    with safe_open(path, framework="pt") as file:
        tensors = {name: _widen(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118  # not a mapping
        return Weights(tensors, file.metadata() or {})


def _read_checkpoint(path: Path) -> Weights:
    checkpoint = read_checkpoint(path)
    return Weights({name: _widen(value) for name, value in checkpoint.tensors.items()}, {}, checkpoint.notes)


def _widen(tensor: torch.Tensor) -> torch.Tensor:
    plain = tensor.detach()
    return plain.float() if plain.is_floating_point() else plain


def write_weights(path: Path, tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> None:
    """Write tensors and metadata as safetensors, atomically; the same content gives the same bytes."""
    with atomic(path) as temporary:
        save_file({name: tensor.contiguous().cpu() for name, tensor in tensors.items()}, temporary, dict(metadata))
        _put_in_order(temporary)


def _put_in_order(path: Path) -> None:
    """Sort the metadata in a file's header in place, because safetensors writes several entries in any order."""
    beginning = b'{"__metadata__":'
    with path.open("r+b") as file:
        header = file.read(int.from_bytes(file.read(8), "little"))
        if not header.startswith(beginning):
            return
        written = header.removeprefix(beginning).decode()
        metadata, end = json.JSONDecoder().raw_decode(written)
        ordered = json.dumps(metadata, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
        assert len(ordered) == len(written[:end].encode())
        file.seek(8 + len(beginning))
        file.write(ordered)


def digest_tensors(tensors: Mapping[str, torch.Tensor]) -> str:
    """BLAKE3 over names, types, shapes and bytes in the order of the names, as hex; the same in any file format."""
    hasher = blake3()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        hasher.update(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode())
        hasher.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return hasher.hexdigest()
