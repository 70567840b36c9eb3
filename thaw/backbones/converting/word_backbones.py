"""Backbones of files of word vectors."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from thaw.backbones.converting.fasttext_files import FastText, is_fasttext, read_fasttext
from thaw.backbones.converting.source import Made, Source
from thaw.backbones.converting.vector_files import Vectors, is_vectors, read_vectors
from thaw.backbones.converting.word_tables import sorted_keys
from thaw.backbones.encoders import subword_vectors
from thaw.backbones.encoders.word_vectors import RARE, architecture_of
from thaw.backbones.weights import Weights
from thaw.foundation.parallel.progress import Progress
from thaw.kinds.texts.subword_preprocessing import SubwordPreprocessing
from thaw.kinds.texts.word_preprocessing import WordPreprocessing

_CAPITALS = 0.02
"""With a larger share of words that have capitals, a vocabulary tells them from small letters."""


def backbone_in(source: Source, progress: Progress) -> Made | None:
    """The backbone of a file of word vectors; None: it is no such file. See `read_fasttext` and `read_vectors`."""
    if not source.path.is_file():
        return None
    if is_fasttext(source.path):
        model = read_fasttext(source.path, progress)
        weights = backbone_of_fasttext(model)
        parts = f"{len(model.grams):,} sub-words, of which unknown words are made"
        return Made(weights, (*_notes(model.words, weights), parts))
    if not is_vectors(source.path):
        return None
    vectors = read_vectors(source.path, progress)
    weights = backbone_of_vectors(vectors)
    skipped = [f"{vectors.skipped:,} lines hold no vector; they are left out"] if vectors.skipped else []
    return Made(weights, (*_notes(vectors.words, weights), *skipped))


def _notes(words: Sequence[str], weights: Weights) -> list[str]:
    known, dim = weights.tensors["vectors"].shape
    notes = [f"{known:,} words, {dim} dimensions"]
    if repeated := len(words) - known:
        notes.append(f"{repeated:,} words differ from an earlier one by capitals alone; the earlier one counts")
    return notes


def backbone_of_vectors(vectors: Vectors) -> Weights:
    """The weights of `thaw.backbones.encoders.word_vectors.WordVectors`, with their architecture and preprocessing in the metadata.

    Of words that are the same in lower case, the first one counts. Probabilities of words are Zipf's, by their order (p of the r-th word is proportional to
    1 / r), because the files hold no counts.
    """
    probability = 1 / (np.arange(1, len(vectors.words) + 1) * np.log(len(vectors.words) + 1))
    return _of_words(vectors.words, vectors.vectors, probability)


def backbone_of_fasttext(model: FastText) -> Weights:
    """The weights of `thaw.backbones.encoders.subword_vectors.SubwordVectors`, or of `WordVectors` for a model without sub-words.

    Probabilities of words are by the file's counts.
    """
    plain = _of_words(model.words, model.vectors, model.counts / max(int(model.counts.sum()), 1))
    if not len(model.grams):
        return plain
    known, dim = plain.tensors["vectors"].shape
    buckets = len(model.grams)
    grams = np.concatenate([np.zeros((1, dim), np.float32), model.grams])
    preprocessing = SubwordPreprocessing(is_lowercase(model.words), model.shortest, model.longest, buckets)
    return Weights(
        {**plain.tensors, "grams": torch.from_numpy(grams)},
        {
            "architecture": subword_vectors.architecture_of(known, dim, buckets),
            "preprocessing": preprocessing.to_json(),
        },
    )


def is_lowercase(words: Sequence[str]) -> bool:
    """Whether a vocabulary does not tell capitals from small letters."""
    return sum(word != word.lower() for word in words) < _CAPITALS * len(words)


def _of_words(words: Sequence[str], vectors: NDArray[np.float32], probability: NDArray[np.float64]) -> Weights:
    lowercase = is_lowercase(words)
    keys, rows = sorted_keys([word.lower() for word in words] if lowercase else words)
    tensors = {
        "keys": torch.from_numpy(keys),
        "rarity": torch.from_numpy((RARE / (RARE + probability[rows])).astype(np.float32)),
        "vectors": torch.from_numpy(vectors[rows]),
    }
    dim = vectors.shape[1]
    tensors |= {"fc.weight": torch.zeros(1, dim), "fc.bias": torch.zeros(1)}
    metadata = {
        "architecture": architecture_of(len(keys), dim),
        "preprocessing": WordPreprocessing(lowercase=lowercase).to_json(),
    }
    return Weights(tensors, metadata)
