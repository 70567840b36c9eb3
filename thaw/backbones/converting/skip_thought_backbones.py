"""Backbones of folders with the files of Skip-Thought's authors."""

import re
from collections.abc import Mapping
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from thaw.backbones.architectures import build_with_weights
from thaw.backbones.converting.source import Made, Source
from thaw.backbones.converting.word_backbones import is_lowercase
from thaw.backbones.converting.word_tables import in_order, read_words, table_of
from thaw.backbones.encoders.skip_thought import architecture_of
from thaw.backbones.weights import Weights
from thaw.foundation.errors import BadWeights
from thaw.foundation.parallel.progress import Progress
from thaw.kinds.texts.treebank_preprocessing import TreebankPreprocessing
from thaw.kinds.texts.word_keys import key_of

UNITS: Mapping[str, tuple[str, str]] = {"uni": ("uni_skip.npz", "utable.npy"), "bi": ("bi_skip.npz", "btable.npy")}
"""The files of each encoder: its units, and its table of words."""
WORDS = "dictionary.txt"
UNKNOWN = "UNK"


def backbone_in(source: Source, progress: Progress) -> Made | None:
    """The backbone of a folder with `uni_skip.npz`, `bi_skip.npz`, or both, with `utable.npy`, `btable.npy` and `dictionary.txt`; None: it is no such folder.

    The options `*.npz.pkl` are pickles, and are not read: the arrays' shapes say all that they do.

    Raises:
        BadWeights: a file is missing, damaged, holds Python objects, or does not fit the others.
    """
    folder = source.path
    present = [name for name, (units, _) in UNITS.items() if (folder / units).is_file()]
    if not present:
        return None
    words = read_words(source.words or folder / WORDS)
    lowercase = is_lowercase(words)
    keys, rows = in_order([key_of(word) for word in words])
    unknown = len(words) - 1 - words[::-1].index(UNKNOWN) if UNKNOWN in words else None
    tensors: dict[str, Tensor] = {"keys": keys}
    sizes = {"uni": 0, "bi": 0}
    dims = set()
    for done, name in enumerate(present):
        progress(done, len(present))
        units, table = (folder / each for each in UNITS[name])
        vectors = _table(table, len(words))
        dims.add(vectors.shape[1])
        tensors[f"{name}_vectors"] = table_of(vectors, rows, unknown)
        tensors |= _units(units, name)
        sizes[name] = _size(tensors, name)
    if len(dims) > 1:
        raise BadWeights(f"{folder}: the two tables have vectors of {' and '.join(map(str, sorted(dims)))} dimensions")
    width = sizes["uni"] + 2 * sizes["bi"]
    tensors |= {"fc.weight": torch.zeros(1, width), "fc.bias": torch.zeros(1)}
    architecture = architecture_of(len(keys), dims.pop(), sizes["uni"], sizes["bi"])
    try:
        build_with_weights(architecture, tensors)
    except BadWeights as error:
        raise BadWeights(f"{folder}: {error}") from error
    preprocessing = TreebankPreprocessing(lowercase=lowercase)
    return Made(
        Weights(tensors, {"architecture": architecture, "preprocessing": preprocessing.to_json()}),
        _notes(len(keys), sizes, unknown),
    )


def _notes(words: int, sizes: Mapping[str, int], unknown: int | None) -> tuple[str, ...]:
    named = [f"{size} numbers a state ({name}-skip)" for name, size in sizes.items() if size]
    notes = [f"{words:,} words; {', '.join(named)}"]
    if unknown is None:
        notes.append(f"{WORDS} has no {UNKNOWN}, so unknown words are zero")
    return tuple(notes)


def _table(path: Path, words: int) -> NDArray[np.generic]:
    table = _loaded(path)
    if not isinstance(table, np.ndarray) or table.ndim != 2 or not np.issubdtype(table.dtype, np.floating):
        raise BadWeights(f"{path} holds no table of vectors")
    if len(table) != words:
        raise BadWeights(f"{path} has {len(table):,} vectors for {words:,} words; fetch it and the list of words again")
    return table


def _loaded(path: Path) -> np.ndarray | np.lib.npyio.NpzFile:
    if not path.is_file():
        raise BadWeights(f"{path} is missing; it is published beside the other files of Skip-Thought")
    try:
        loaded: np.ndarray | np.lib.npyio.NpzFile = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError, BadZipFile) as error:
        raise _refused(path, error) from error
    return loaded


def _refused(path: Path, error: Exception) -> BadWeights:
    if re.search("pickle|Python objects", str(error)):
        return BadWeights(
            f"{path} holds Python objects (a pickle), whose code could run, so it is not read; open it where you trust it, and save plain arrays with "
            "`numpy.save(FILE, numpy.asarray(TABLE, 'float32'), allow_pickle=False)`"
        )
    return BadWeights(f"{path} is damaged, or no file of NumPy ({error}); fetch it again")


def _units(path: Path, name: str) -> dict[str, Tensor]:
    """The weights of `thaw.backbones.encoders.gated_units.ResetAfter`, from Theano's: gates and candidate apart, and transposed."""
    arrays = _arrays(path)
    cells = {"uni": {"uni": "encoder"}, "bi": {"bi.onward": "encoder", "bi.back": "encoder_r"}}[name]
    tensors: dict[str, Tensor] = {}
    for own, theirs in cells.items():
        parts = {each: _array(path, arrays, f"{theirs}_{each}") for each in ("W", "Wx", "b", "bx", "U", "Ux")}
        try:
            joined = {
                "inputs.weight": np.concatenate([parts["W"], parts["Wx"]], 1).T,
                "inputs.bias": np.concatenate([parts["b"], parts["bx"]]),
                "states.weight": np.concatenate([parts["U"], parts["Ux"]], 1).T,
            }
        except ValueError as error:
            raise BadWeights(f"{path}: the parts of `{theirs}` do not fit each other ({error})") from error
        tensors |= {f"{own}.{part}": torch.tensor(values, dtype=torch.float32) for part, values in joined.items()}
    return tensors


def _arrays(path: Path) -> Mapping[str, NDArray[np.generic]]:
    loaded = _loaded(path)
    if isinstance(loaded, np.ndarray):
        raise BadWeights(f"{path} holds one array, and no parts of a network")
    return loaded


def _array(path: Path, arrays: Mapping[str, NDArray[np.generic]], name: str) -> NDArray[np.generic]:
    try:
        return arrays[name]
    except KeyError as error:
        raise BadWeights(f"{path} has no `{name}`; it is no encoder of Skip-Thought") from error
    except Exception as error:  # a damaged archive raises errors of many types
        raise _refused(path, error) from error


def _size(tensors: Mapping[str, Tensor], name: str) -> int:
    cell = "uni" if name == "uni" else "bi.onward"
    return tensors[f"{cell}.states.weight"].shape[1]
