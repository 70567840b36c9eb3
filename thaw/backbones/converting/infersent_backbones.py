"""Backbones of InferSent's files."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from thaw.backbones.converting.fasttext_files import is_fasttext, read_fasttext
from thaw.backbones.converting.source import Made, Source
from thaw.backbones.converting.vector_files import Vectors, is_vectors, read_vectors
from thaw.backbones.converting.word_tables import sorted_keys
from thaw.backbones.encoders.infersent import architecture_of
from thaw.backbones.weights import Weights, read_weights
from thaw.foundation.errors import BadWeights
from thaw.foundation.parallel.progress import Progress
from thaw.kinds.kind import Preprocessing
from thaw.kinds.texts.moses_preprocessing import MosesPreprocessing
from thaw.kinds.texts.word_keys import key_of
from thaw.kinds.texts.word_preprocessing import WordPreprocessing

_FIRST = "enc_lstm.weight_ih_l0"
_PARTS = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
_PICKLE = b"\x80"


@dataclass(frozen=True)
class Version:
    """What differs between InferSent's two versions, whose files are alike. marks: the words before and after a text. vectors: the file of its paper."""

    number: int
    marks: tuple[str, str]
    preprocessing: Preprocessing
    vectors: str


VERSIONS = (
    Version(1, ("<s>", "</s>"), WordPreprocessing(lowercase=False), "glove.840B.300d.txt"),
    Version(2, ("<p>", "</p>"), MosesPreprocessing(), "crawl-300d-2M.vec"),
)


def backbone_in(source: Source, progress: Progress) -> Made | None:
    """The backbone of `infersent1.pkl` or `infersent2.pkl` with its word vectors; None: it is another file.

    Raises:
        BadWeights: the file is damaged, holds more than tensors, or its name tells no version; or the word vectors are missing, or do not fit.
    """
    if not _may_be_checkpoint(source.path):
        return None
    try:
        tensors = read_weights(source.path).tensors
    except BadWeights as error:
        advice = f"`torch.save(model.state_dict(), '{source.path.name}')` in the program that wrote it makes one"
        raise BadWeights(f"{error}; {advice}") from error
    if _FIRST not in tensors:
        return None
    version, lstm = _version(source.path), _lstm(source.path, tensors)
    vectors = _vectors(source, version, progress)
    dim = lstm["lstm.into"].shape[1]
    if vectors.vectors.shape[1] != dim:
        raise BadWeights(
            f"{source.words} has {vectors.vectors.shape[1]} dimensions, and {source.path} takes {dim}; give {version.vectors}"
        )
    return Made(_backbone(version, vectors, lstm), _notes(version, vectors))


def _may_be_checkpoint(path: Path) -> bool:
    if not path.is_file():
        return False
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/data.pkl") for name in archive.namelist())
    with path.open("rb") as file:
        return file.read(1) == _PICKLE


def _version(path: Path) -> Version:
    for version in VERSIONS:
        if f"infersent{version.number}" in path.name.lower():
            return version
    raise BadWeights(
        f"{path} is InferSent's, and its name does not tell the version, which nothing in it tells either; rename it to infersent1.pkl or infersent2.pkl"
    )


def _lstm(path: Path, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of the recurrence by our names."""
    gates, dim = tensors[_FIRST].shape if tensors[_FIRST].dim() == 2 else (0, 0)
    cell = gates // 4
    sizes = dict(zip(_PARTS, ((gates, dim), (gates, cell), (gates,), (gates,)), strict=True))
    for name in (f"{part}{ending}" for part in _PARTS for ending in ("", "_reverse")):
        found, wanted = tensors.get(f"enc_lstm.{name}"), sizes[name.removesuffix("_reverse")]
        if found is None or tuple(found.shape) != wanted or not cell or gates % 4:
            shape = "missing" if found is None else f"{tuple(found.shape)}"
            raise BadWeights(
                f"{path}: `enc_lstm.{name}` is {shape}; InferSent's LSTM in two directions has {wanted} there"
            )
    both = {part: [tensors[f"enc_lstm.{part}{ending}"] for ending in ("", "_reverse")] for part in _PARTS}
    return {
        "lstm.into": torch.stack([each.T for each in both["weight_ih_l0"]]),
        "lstm.between": torch.stack([each.T for each in both["weight_hh_l0"]]),
        "lstm.bias": torch.stack(both["bias_ih_l0"]) + torch.stack(both["bias_hh_l0"]),
        "lstm.hidden": torch.zeros(2, cell),
        "lstm.cell": torch.zeros(2, cell),
    }


def _vectors(source: Source, version: Version, progress: Progress) -> Vectors:
    words = source.words
    if words is None:
        raise BadWeights(f"{source.path} comes without its word vectors; give them too: `--words {version.vectors}`")
    if not words.is_file():
        raise BadWeights(f"{words} is no file; --words takes a file of word vectors, such as {version.vectors}")
    if is_fasttext(words):
        model = read_fasttext(words, progress)
        return Vectors(model.words, model.vectors, 0)
    if not is_vectors(words):
        raise BadWeights(f"{words} holds no word vectors; --words takes a file such as {version.vectors}")
    return read_vectors(words, progress)


def _backbone(version: Version, vectors: Vectors, lstm: Mapping[str, Tensor]) -> Weights:
    keys, rows = sorted_keys(vectors.words)
    marks = np.array([key_of(mark) for mark in version.marks], np.int64)
    cell = lstm["lstm.cell"].shape[1]
    tensors = {
        "embeddings.keys": torch.from_numpy(keys),
        "embeddings.marks": torch.from_numpy(marks),
        "embeddings.vectors": torch.from_numpy(vectors.vectors[rows]),
        **lstm,
        "fc.weight": torch.zeros(1, 2 * cell),
        "fc.bias": torch.zeros(1),
    }
    architecture = architecture_of(len(keys), vectors.vectors.shape[1], cell)
    return Weights(tensors, {"architecture": architecture, "preprocessing": version.preprocessing.to_json()})


def _notes(version: Version, vectors: Vectors) -> tuple[str, ...]:
    notes = [
        f"InferSent {version.number}, by the file's name; {len(vectors.words):,} words, {vectors.vectors.shape[1]} dimensions"
    ]
    known = set(vectors.words)
    if missing := [mark for mark in version.marks if mark not in known]:
        notes.append(f"the vectors have no {' and no '.join(missing)}, so texts are read without it, as InferSent does")
    if vectors.skipped:
        notes.append(f"{vectors.skipped:,} lines hold no vector; they are left out")
    return tuple(notes)
