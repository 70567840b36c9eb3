"""Backbones of folders with an encoder of BERT's family."""

import torch

from thaw.backbones.architectures import build_with_weights
from thaw.backbones.converting.encoder_folders import Encoder, read_encoder
from thaw.backbones.converting.source import Made, Source
from thaw.backbones.weights import Weights
from thaw.foundation.errors import BadWeights
from thaw.foundation.parallel.progress import Progress
from thaw.kinds.texts.piece_preprocessing import PiecePreprocessing
from thaw.kinds.texts.tokenizers import tokenizer_from, tokenizer_text


def backbone_in(source: Source, progress: Progress) -> Made | None:
    """The backbone of a folder of transformers or sentence-transformers; None: it is no such folder. See `read_encoder` and `backbone_of_encoder`."""
    if not any((source.path / name).is_file() for name in ("config.json", "modules.json")):
        return None
    encoder = read_encoder(source.path)
    shape = encoder.shape
    layers = (
        f"{shape.layers} layers of {shape.dim} dimensions, {shape.pieces:,} pieces, windows of {shape.window} pieces"
    )
    return Made(backbone_of_encoder(encoder), (layers, *encoder.notes))


def backbone_of_encoder(encoder: Encoder) -> Weights:
    """The weights of `thaw.backbones.encoders.bert.Bert`, with their architecture and preprocessing in the metadata.

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
