"""Backbones of TF-hub's modules of word vectors, `nnlm-en-dim128` and its like."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from thaw.backbones.converting.saved_models import Operation, assets_in, is_saved_model, read_operations
from thaw.backbones.converting.source import Made, Source
from thaw.backbones.converting.tensorflow_files import VARIABLES, Bundle, prefix_in, read_bundle
from thaw.backbones.converting.word_tables import in_order
from thaw.backbones.encoders.nnlm import architecture_of
from thaw.backbones.weights import Weights
from thaw.foundation.errors import BadWeights
from thaw.foundation.parallel.progress import Progress
from thaw.kinds.texts.fingerprints import fingerprint_of
from thaw.kinds.texts.spaced_preprocessing import SpacedPreprocessing

_PUNCTUATION = rb"\pP"
_ON_TEXTS = ("String", "Unicode", "Sentencepiece", "Substr", "Regex", "StaticRegex")
"""The beginnings of the names of operations on texts."""
_KNOWN = {
    *("StringSplit", "StringSplitV2", "RegexReplace", "StaticRegexReplace", "StringToHashBucketFast"),
    *("StringJoin", "StaticRegexFullMatch"),  # of the names of files
}


def backbone_in(source: Source, progress: Progress) -> Made | None:
    """The backbone of a SavedModel or a module of TF-hub; None: it is no such folder.

    The graph says how words are cut and put together; the list of words lies in its assets, and the vectors in its variables.

    Raises:
        BadWeights: it is another network, or damaged.
    """
    folder = source.path
    if not is_saved_model(folder):
        return None
    operations = read_operations(folder)
    preprocessing = _preprocessing(folder, operations)
    prefix = prefix_in(folder)
    if prefix is None:
        raise BadWeights(f"{folder / VARIABLES}.index is missing, so the module has no vectors; fetch it again")
    words = _words(folder)
    bundle = read_bundle(prefix)
    vectors = torch.from_numpy(_vectors(folder, bundle, operations))
    progress(1, 2)
    buckets = len(vectors) - len(words)
    if buckets < 0:
        raise BadWeights(f"{folder} has {len(words):,} words and {len(vectors):,} vectors; fetch it again")
    if buckets and not any(operation.type == "StringToHashBucketFast" for operation in operations):
        raise BadWeights(
            f"{folder} has vectors for unknown words, and does not say which word has which; it is another network"
        )
    keys, rows = in_order([fingerprint_of(word) for word in words])
    known, dim = len(keys), vectors.shape[1]
    tensors = {
        "keys": keys,
        "vectors": torch.cat([vectors[torch.from_numpy(rows)], vectors[len(words) :]]),
        "fc.weight": torch.zeros(1, dim),
        "fc.bias": torch.zeros(1),
    }
    metadata = {"architecture": architecture_of(known, dim, buckets), "preprocessing": preprocessing.to_json()}
    shared = f"{buckets:,} vectors that other words share" if buckets else "other words do not count"
    kept = "stays at the words" if preprocessing.punctuation else "is taken out"
    return Made(Weights(tensors, metadata), (f"{known:,} words, {dim} dimensions; {shared}", f"punctuation {kept}"))


def _preprocessing(folder: Path, operations: Sequence[Operation]) -> SpacedPreprocessing:
    """What a graph does with texts.

    Raises:
        BadWeights: it does something else than the modules `nnlm`.
    """
    types = {operation.type for operation in operations}
    if not any(name.startswith("SparseSegmentSqrtN") for name in types):
        raise BadWeights(
            f"{folder} is a SavedModel of another network; the modules `nnlm` of TF-hub are read, whose graphs divide a sum by the root of its length"
        )
    if other := sorted(name for name in types - _KNOWN if name.startswith(_ON_TEXTS)):
        raise BadWeights(
            f"{folder} prepares texts by {other[0]}, which no module `nnlm` of TF-hub does, so it is not read"
        )
    return SpacedPreprocessing(
        punctuation=not any(_takes_punctuation_out(folder, operation) for operation in operations),
        empty=any(operation.type == "StringSplitV2" and operation.texts.get("1") == b" " for operation in operations),
    )


def _takes_punctuation_out(folder: Path, operation: Operation) -> bool:
    if operation.type not in ("RegexReplace", "StaticRegexReplace"):
        return False
    static = operation.type == "StaticRegexReplace"
    pattern = operation.texts.get("pattern" if static else "1")
    rewrite = operation.texts.get("rewrite" if static else "2", b"")
    if pattern != _PUNCTUATION or rewrite:
        raise BadWeights(
            f"{folder} replaces {pattern!r} in texts, which no module `nnlm` of TF-hub does, so it is not read"
        )
    return True


def _words(folder: Path) -> list[str]:
    """The words of the only list, one in each line, as TensorFlow's `TextFileInitializer` reads them."""
    lists = assets_in(folder)
    if len(lists) != 1:
        raise BadWeights(
            f"{folder / 'assets'} holds {len(lists)} files, and the list of words should be the only one; fetch it again"
        )
    try:
        lines = lists[0].read_bytes().decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise BadWeights(f"{lists[0]} is no text in UTF-8 ({error}); fetch it again") from error
    return lines[: -1 if not lines[-1] else None]


def _vectors(folder: Path, bundle: Bundle, operations: Sequence[Operation]) -> NDArray[np.float32]:
    """The vectors in the order of the words, float32 [V + buckets, D].

    A table in parts is dealt out to them, row i to part i % P, if the graph finds the part of a row by its remainder; else a part holds neighbouring rows. Both
    are strategies of `tf.nn.embedding_lookup`.
    """
    dealt = any(operation.type == "DynamicPartition" and "FloorMod" in operation.makers for operation in operations)
    name = _table(folder, bundle)
    table, starts = bundle.tensor(name).astype(np.float32), np.array(bundle.part_starts(name))
    if len(starts) == 1 or not dealt:
        return table
    rows = np.arange(len(table))
    return table[starts[rows % len(starts)] + rows // len(starts)]


def _table(folder: Path, bundle: Bundle) -> str:
    tables = [name for name, shape in bundle.shapes().items() if len(shape) == 2]
    if len(tables) != 1:
        raise BadWeights(
            f"{folder} has {len(tables)} tables of vectors, and the modules `nnlm` have one; it is another network"
        )
    return tables[0]
