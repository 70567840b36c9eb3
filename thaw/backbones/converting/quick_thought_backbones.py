"""Backbones of Quick-Thought's checkpoints, as its authors' program writes them with TensorFlow."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from thaw.backbones.architectures import build_with_weights
from thaw.backbones.converting.first_checkpoints import is_first_version, read_first_checkpoint
from thaw.backbones.converting.source import Made, Source
from thaw.backbones.converting.tensorflow_files import Checkpoint, prefix_in, read_bundle
from thaw.backbones.converting.word_backbones import is_lowercase
from thaw.backbones.converting.word_tables import in_order, read_words, table_of
from thaw.backbones.encoders.quick_thought import architecture_of
from thaw.backbones.weights import Weights
from thaw.foundation.errors import BadWeights
from thaw.foundation.parallel.progress import Progress
from thaw.kinds.texts.treebank_preprocessing import TreebankPreprocessing
from thaw.kinds.texts.word_keys import key_of

ENCODERS = {"f": "encoder", "g": "encoder_out"}
"""The scopes of the two encoders."""
_CELL = re.compile(r"(encoder|encoder_out)/(?:.*/)?gru_cell/(gates|candidate)/(kernel|weights|bias|biases)")
_OUT = "_out"
_LISTS = ("vocab.txt", "dictionary.txt", "*dictionary*.txt")
_EXPANDED = "exp_vocab"
"""The folder of a larger table of words, which the authors' program makes of word2vec."""


@dataclass(frozen=True, eq=False)
class _Units:
    """kind: `bags`, `uni` or `bi`. size: of a state. tensors: by the names of `thaw.backbones.encoders.quick_thought.QuickThought`."""

    kind: str
    size: int
    tensors: Mapping[str, Tensor]

    @property
    def encoder(self) -> str:
        """The part of the architecture's name."""
        return self.kind if self.kind == "bags" else f"{self.kind}{self.size}"


@dataclass(frozen=True, eq=False)
class _Words:
    """words: of the first rows of the tables. tables: one, or one for each encoder. unknown: the row of unknown words."""

    words: Sequence[str]
    tables: Sequence[NDArray[np.generic]]
    unknown: int


def backbone_in(source: Source, progress: Progress) -> Made | None:
    """The backbone of a checkpoint, which is named by its folder, its `.index` or its prefix; None: there is no checkpoint.

    Raises:
        BadWeights: it is of another network, or damaged; or there is no list of words.
    """
    checkpoint = _checkpoint_in(source.path)
    if checkpoint is None:
        return None
    prefix, names = checkpoint.prefix, _tables_of(checkpoint)
    vocabulary = _expanded(source, prefix, names) or _trained(source, checkpoint, names)
    progress(1, 2)
    dim = vocabulary.tables[0].shape[1]
    units = _units(checkpoint, dim)
    keys, rows = in_order([key_of(word) for word in vocabulary.words])
    tables = [table_of(table, rows, vocabulary.unknown) for table in vocabulary.tables]
    numbers = {"bags": dim, "uni": units.size, "bi": 2 * units.size}[units.kind]
    tensors: dict[str, Tensor] = {"keys": keys, **units.tensors}
    tensors |= {f"tables.{number}": table for number, table in enumerate(tables)}
    tensors |= {"fc.weight": torch.zeros(1, 2 * numbers), "fc.bias": torch.zeros(1)}
    architecture = architecture_of(len(keys), dim, units.encoder, shared=len(tables) == 1)
    try:
        build_with_weights(architecture, tensors)
    except BadWeights as error:
        raise BadWeights(f"{prefix}: {error}") from error
    preprocessing = TreebankPreprocessing(lowercase=is_lowercase(vocabulary.words))
    metadata = {"architecture": architecture, "preprocessing": preprocessing.to_json()}
    return Made(
        Weights(tensors, metadata), (f"{len(keys):,} words; two encoders of {numbers} numbers each ({units.encoder})",)
    )


def _checkpoint_in(path: Path) -> Checkpoint | None:
    """The checkpoint that a path means, of either version; None: there is none."""
    prefix = prefix_in(path) or (prefix_in(path / "train") if path.is_dir() else None)
    if prefix is not None:
        return read_bundle(prefix)
    return read_first_checkpoint(path) if is_first_version(path) else None


def _tables_of(checkpoint: Checkpoint) -> tuple[str, ...]:
    """The names of the tables of words: one for each encoder, or one for both.

    Raises:
        BadWeights: there is none.
    """
    flat = [name for name, shape in checkpoint.shapes().items() if len(shape) == 2 and "/" not in name]
    first = [name for name in flat if not name.endswith(_OUT)]
    if len(first) != 1:
        known = ", ".join(sorted(checkpoint.shapes())[:5])
        raise BadWeights(
            f"{checkpoint.prefix} is no checkpoint of Quick-Thought, the only network whose checkpoints are read; it holds {known}"
        )
    return (first[0], first[0] + _OUT) if first[0] + _OUT in flat else (first[0],)


def _expanded(source: Source, prefix: Path, names: Sequence[str]) -> _Words | None:
    """The tables that the authors' program made of word2vec; None: there are none."""
    folders = (source.path / _EXPANDED, prefix.parent / _EXPANDED, prefix.parent.parent / _EXPANDED)
    folder = next((each for each in folders if each.is_dir()), None)
    if folder is None:
        return None
    lists = [read_words(folder / f"{name}.txt") for name in names]
    if any(each != lists[0] for each in lists):
        raise BadWeights(f"{folder}: the two encoders have different words; expand both with the same file of word2vec")
    tables = []
    for name in names:
        path = folder / f"{name}.npy"
        try:
            tables.append(np.load(path, mmap_mode="r", allow_pickle=False))
        except (ValueError, OSError, EOFError) as error:
            raise BadWeights(
                f"{path} is missing, damaged, or holds Python objects ({error}); fetch it again"
            ) from error
        if tables[-1].ndim != 2 or len(tables[-1]) != len(lists[0]):
            raise BadWeights(f"{path} does not hold a vector for each of the {len(lists[0]):,} words")
    if "<unk>" not in lists[0]:
        raise BadWeights(f"{folder}: the words lack <unk>, which stands for unknown ones")
    return _Words(lists[0], tables, lists[0].index("<unk>"))


def _trained(source: Source, checkpoint: Checkpoint, names: Sequence[str]) -> _Words:
    """The tables of the checkpoint itself; row 0 stands for unknown words."""
    path = source.words or _list_beside(checkpoint.prefix)
    words, tables = read_words(path), [checkpoint.tensor(name) for name in names]
    if len(words) == len(tables[0]) - 1:  # a list of GloVe's words, without the unknown one
        words = ["<unk>", *words]
    if len(words) != len(tables[0]):
        raise BadWeights(
            f"{path} has {len(words):,} words, and {checkpoint.prefix} {len(tables[0]):,} vectors; give its own list with --words"
        )
    return _Words(words, tables, 0)


def _list_beside(prefix: Path) -> Path:
    for folder in (prefix.parent, prefix.parent.parent):
        for pattern in _LISTS:
            if found := sorted(folder.glob(pattern)):
                return found[0]
    raise BadWeights(
        f"there is no vocab.txt or dictionary.txt beside {prefix}; give the network's list of words with --words"
    )


def _units(checkpoint: Checkpoint, dim: int) -> _Units:
    """The recurrent units; none for bags of words."""
    if any("lstm_cell" in name for name in checkpoint.shapes()):
        raise BadWeights(f"{checkpoint.prefix} has LSTM units; Quick-Thought's bags and GRU are read")
    found = [each for name in checkpoint.shapes() if (each := _CELL.fullmatch(name)) is not None]
    if not found:
        return _Units("bags", dim, {})
    both_ways = any("/bw/" in each[0] for each in found)
    tensors: dict[str, Tensor] = {}
    for each in found:
        own = {scope: own for own, scope in ENCODERS.items()}[each[1]]
        way = (".back" if "/bw/" in each[0] else ".onward") if both_ways else ""
        part = "weight" if each[3] in ("kernel", "weights") else "bias"
        tensors[f"{own}{way}.{each[2]}.{part}"] = torch.tensor(checkpoint.tensor(each[0]).T, dtype=torch.float32)
    sizes = {tensor.shape[1] - dim for name, tensor in tensors.items() if name.endswith("candidate.weight")}
    if len(sizes) != 1 or min(sizes) < 1:
        raise BadWeights(f"{checkpoint.prefix}: the units do not fit vectors of {dim} dimensions")
    return _Units("bi" if both_ways else "uni", sizes.pop(), tensors)
