"""Tiny random networks of transformers with two towers, made by the library itself, with a tokenizer of a few words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from provided_networks import SIDE, TOWER
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import AutoConfig, AutoModel, PreTrainedTokenizerFast

WORDS = ("a", "photo", "of", "dark", "light", "and", "bright", "golden", "retriever", "7", ".", "drawing", "the")
SPECIAL = ("<pad>", "<unk>", "<start>", "<end>")
LENGTH = 16
_TEXT = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "vocab_size": len(SPECIAL) + len(WORDS),
    "max_position_embeddings": LENGTH,
    "pad_token_id": 0,
    "bos_token_id": 2,
    "eos_token_id": 3,
}
_OF: dict[str, dict[str, Any]] = {
    "clip": {"text_config": _TEXT, "vision_config": dict(TOWER), "projection_dim": 20},
    "siglip": {"text_config": {**_TEXT, "projection_size": TOWER["hidden_size"]}, "vision_config": dict(TOWER)},
}


def dual_model(kind: str) -> Any:
    """transformers' own network; kind: `clip` or `siglip`."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = AutoModel.from_config(AutoConfig.for_model(kind, **_OF[kind])).eval()
        for parameter in model.parameters():
            parameter.data += 0.05 * torch.randn_like(parameter)
    return model


def tokenizer() -> PreTrainedTokenizerFast:
    """Words and full stops by their numbers, between `<start>` and `<end>`."""
    numbers = {word: number for number, word in enumerate((*SPECIAL, *WORDS))}
    made = Tokenizer(models.WordLevel(numbers, unk_token=SPECIAL[1]))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="<start> $A <end>", special_tokens=[("<start>", 2), ("<end>", 3)]
    )
    names = dict(zip(("pad_token", "unk_token", "bos_token", "eos_token"), SPECIAL, strict=True))
    return PreTrainedTokenizerFast(tokenizer_object=made, **names)


def lay_dual(kind: str, folder: Path) -> Any:
    """Write a network with its tokenizer and preprocessing into a folder, as the library does; returns the network."""
    model = dual_model(kind)
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    settings = {"size": {"height": SIDE, "width": SIDE}}
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    return model
