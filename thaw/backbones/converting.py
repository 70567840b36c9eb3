"""The conversion of other programs' files to a backbone: safetensors that state their architecture and preprocessing."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from thaw.backbones import subword_vectors
from thaw.backbones.architectures import build_with_weights
from thaw.backbones.encoder_folders import Encoder, read_encoder
from thaw.backbones.fasttext_files import FastText, is_fasttext, read_fasttext
from thaw.backbones.vector_files import Vectors, is_vectors, read_vectors
from thaw.backbones.weights import Weights, write_weights
from thaw.backbones.word_vectors import RARE, architecture_of
from thaw.foundation.errors import BadWeights
from thaw.foundation.parallel.progress import Progress, untold
from thaw.kinds.texts.piece_preprocessing import PiecePreprocessing
from thaw.kinds.texts.subword_preprocessing import SubwordPreprocessing
from thaw.kinds.texts.tokenizers import tokenizer_from, tokenizer_text
from thaw.kinds.texts.word_keys import key_of
from thaw.kinds.texts.word_preprocessing import WordPreprocessing

_CAPITALS = 0.02
"""With a larger share of words that have capitals, a vocabulary tells them from small letters."""


@dataclass(frozen=True)
class Converted:
    """The result of a conversion. notes: sentences on what was read, and on what was left out."""

    path: Path
    architecture: str
    notes: tuple[str, ...]


def convert(source: Path, out: Path, progress: Progress = untold) -> Converted:
    """Write the backbone of a file of word vectors, or of a folder with an encoder of BERT's family, atomically.

    progress: called with the bytes of word vectors that are read.

    Raises:
        BadWeights: the source is missing, damaged, or holds neither.
        BadParameters: the package tokenizers is needed, and not installed.
    """
    weights, notes = _encoder(source) if source.is_dir() else _vectors(source, progress)
    write_weights(out, weights.tensors, weights.metadata)
    return Converted(out, weights.metadata["architecture"], notes)


def _encoder(folder: Path) -> tuple[Weights, tuple[str, ...]]:
    if not any((folder / name).is_file() for name in ("config.json", "modules.json")):
        raise BadWeights(
            f"{folder} is a folder without config.json; name a file of word vectors, or a folder of transformers or sentence-transformers"
        )
    encoder = read_encoder(folder)
    shape = encoder.shape
    layers = (
        f"{shape.layers} layers of {shape.dim} dimensions, {shape.pieces:,} pieces, windows of {shape.window} pieces"
    )
    return backbone_of_encoder(encoder), (layers, *encoder.notes)


def _vectors(source: Path, progress: Progress) -> tuple[Weights, tuple[str, ...]]:
    if not source.is_file():
        raise BadWeights(f"{source} does not exist; name a file of word vectors or a folder of an encoder")
    if is_fasttext(source):
        model = read_fasttext(source, progress)
        weights = backbone_of_fasttext(model)
        return weights, (
            *_notes(model.words, weights),
            f"{len(model.grams):,} sub-words, of which unknown words are made",
        )
    if not is_vectors(source):
        raise BadWeights(
            f"{source} holds no word vectors; `.txt`, `.vec` and `.bin` files of GloVe, word2vec and fastText (but not of its first format) are read, and "
            "folders with the config.json of an encoder"
        )
    vectors = read_vectors(source, progress)
    weights = backbone_of_vectors(vectors)
    skipped = [f"{vectors.skipped:,} lines hold no vector; they are left out"] if vectors.skipped else []
    return weights, (*_notes(vectors.words, weights), *skipped)


def _notes(words: Sequence[str], weights: Weights) -> list[str]:
    known, dim = weights.tensors["vectors"].shape
    notes = [f"{known:,} words, {dim} dimensions"]
    if repeated := len(words) - known:
        notes.append(f"{repeated:,} words differ from an earlier one by capitals alone; the earlier one counts")
    return notes


def backbone_of_vectors(vectors: Vectors) -> Weights:
    """The weights of `thaw.backbones.word_vectors.WordVectors`, with their architecture and preprocessing in the metadata.

    Of words that are the same in lower case, the first one counts. Probabilities of words are Zipf's, by their order (p of the r-th word is proportional to
    1 / r), because the files hold no counts.
    """
    probability = 1 / (np.arange(1, len(vectors.words) + 1) * np.log(len(vectors.words) + 1))
    return _of_words(vectors.words, vectors.vectors, probability)


def backbone_of_fasttext(model: FastText) -> Weights:
    """The weights of `thaw.backbones.subword_vectors.SubwordVectors`, or of `WordVectors` for a model without sub-words.

    Probabilities of words are by the file's counts.
    """
    plain = _of_words(model.words, model.vectors, model.counts / max(int(model.counts.sum()), 1))
    if not len(model.grams):
        return plain
    known, dim = plain.tensors["vectors"].shape
    buckets = len(model.grams)
    grams = np.concatenate([np.zeros((1, dim), np.float32), model.grams])
    preprocessing = SubwordPreprocessing(_is_lowercase(model.words), model.shortest, model.longest, buckets)
    return Weights(
        {**plain.tensors, "grams": torch.from_numpy(grams)},
        {
            "architecture": subword_vectors.architecture_of(known, dim, buckets),
            "preprocessing": preprocessing.to_json(),
        },
    )


def _is_lowercase(words: Sequence[str]) -> bool:
    return sum(word != word.lower() for word in words) < _CAPITALS * len(words)


def _of_words(words: Sequence[str], vectors: NDArray[np.float32], probability: NDArray[np.float64]) -> Weights:
    lowercase = _is_lowercase(words)
    first: dict[int, int] = {}
    for row, word in enumerate(words):
        first.setdefault(key_of(word.lower() if lowercase else word), row)
    keys = np.array(list(first), np.int64)
    rows = np.array(list(first.values()))
    order = np.argsort(keys)
    tensors = {
        "keys": torch.from_numpy(keys[order]),
        "rarity": torch.from_numpy((RARE / (RARE + probability[rows[order]])).astype(np.float32)),
        "vectors": torch.from_numpy(vectors[rows[order]]),
    }
    dim = vectors.shape[1]
    tensors |= {"fc.weight": torch.zeros(1, dim), "fc.bias": torch.zeros(1)}
    metadata = {
        "architecture": architecture_of(len(keys), dim),
        "preprocessing": WordPreprocessing(lowercase=lowercase).to_json(),
    }
    return Weights(tensors, metadata)


def backbone_of_encoder(encoder: Encoder) -> Weights:
    """The weights of `thaw.backbones.bert.Bert`, with their architecture and preprocessing in the metadata.

    Raises:
        BadWeights: the tokenizer is missing, damaged, or has more pieces than the network; or a tensor has another shape than the folder states.
        BadParameters: the package tokenizers is not installed.
    """
    shape = encoder.shape
    text = tokenizer_text(encoder.folder, encoder.tokenizer_settings, lowercase=encoder.lowercase)
    if (pieces := tokenizer_from(text).get_vocab_size()) > shape.pieces:
        raise BadWeights(f"{encoder.folder}: the tokenizer has {pieces:,} pieces, and the network {shape.pieces:,}")
    preprocessing = PiecePreprocessing(tokenizer=text, max_tokens=shape.window)
    tensors = {**encoder.tensors, "fc.weight": torch.zeros(1, shape.dim), "fc.bias": torch.zeros(1)}
    try:
        build_with_weights(shape.architecture, tensors)
    except BadWeights as error:
        raise BadWeights(f"{encoder.folder}: {error}") from error
    return Weights(tensors, {"architecture": shape.architecture, "preprocessing": preprocessing.to_json()})
