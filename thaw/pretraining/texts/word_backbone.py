"""Backbones of word vectors that are learnt here."""

import numpy as np
import torch
from numpy.typing import NDArray

from thaw.backbones.encoders.word_vectors import RARE, architecture_of
from thaw.backbones.weights import Weights
from thaw.kinds.texts.word_keys import key_of
from thaw.kinds.texts.word_preprocessing import WordPreprocessing
from thaw.pretraining.texts.numbering import Vocabulary


def word_backbone(
    vocabulary: Vocabulary, running_words: int, vectors: NDArray[np.float32], *, lowercase: bool
) -> Weights:
    """The weights of `thaw.backbones.encoders.word_vectors.WordVectors`. running_words: of the corpus. vectors: float32 [V, D], in the vocabulary's order."""
    keys = np.array([key_of(word) for word in vocabulary.words], np.int64)
    probability = np.array(vocabulary.counts) / running_words
    order = np.argsort(keys)
    words, dim = vectors.shape
    tensors = {
        "keys": torch.from_numpy(keys[order]),
        "rarity": torch.from_numpy((RARE / (RARE + probability[order])).astype(np.float32)),
        "vectors": torch.from_numpy(np.ascontiguousarray(vectors[order])),
        "fc.weight": torch.zeros(1, dim),
        "fc.bias": torch.zeros(1),
    }
    metadata = {
        "architecture": architecture_of(words, dim),
        "preprocessing": WordPreprocessing(lowercase=lowercase).to_json(),
    }
    return Weights(tensors, metadata)
