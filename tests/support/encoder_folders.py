"""Folders of tiny encoders with random weights, as transformers and sentence-transformers write them."""

import json
from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

WORDS = ["the", "cat", "sat", "on", "a", "mat", "good", "bad", "film", "is", "not", "dull", "##ly", "##s"]
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
DIM, LAYERS, HEADS, INNER, POSITIONS = 16, 3, 2, 24, 12
TEXTS = ("the cat sat on a mat", "good", "a film is not dull", "the cats sat badly on mats")
LONG = " ".join(["the cat sat on a mat", "a good film is not dull", "good cats", "bad mats on the film"] * 2)
"""23 words or so: several windows of 12 pieces."""


def tiny_tokenizer() -> Tokenizer:
    """BERT's rules on a few words."""
    vocabulary = {piece: number for number, piece in enumerate((*SPECIAL, *WORDS))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))  # noqa: S106
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=4)
    return tokenizer


def plain_folder(folder: Path, kind: str = "bert", **settings: object) -> Path:
    """What `save_pretrained` of a model writes, with its tokenizer; settings: more of its configuration."""
    import torch
    from transformers import AutoConfig, AutoModel

    common = {"vocab_size": len(SPECIAL) + len(WORDS), "pad_token_id": 0}
    sizes: dict[str, object] = {
        "hidden_size": DIM, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "intermediate_size": INNER,
        "max_position_embeddings": POSITIONS + (kind == "roberta"),
    }  # fmt: skip
    if kind == "distilbert":
        sizes = {"dim": DIM, "n_layers": LAYERS, "n_heads": HEADS, "hidden_dim": INNER, "max_position_embeddings": POSITIONS}  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = AutoModel.from_config(AutoConfig.for_model(kind, **{**common, **sizes, **settings}))
    with torch.no_grad():
        for parameter in model.parameters():  # with BERT's small numbers, layers would hardly differ
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(len(parameter))))
    model.save_pretrained(folder)
    tiny_tokenizer().save(str(folder / "tokenizer.json"))
    return folder


def sentence_folder(folder: Path, *, longest: int = POSITIONS, mode: str = "mean_tokens", unit: bool = True) -> Path:
    """What sentence-transformers writes around that."""
    plain_folder(folder)
    steps = [("", "Transformer"), ("1_Pooling", "Pooling"), *([("2_Normalize", "Normalize")] if unit else [])]
    modules = [
        {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for number, (path, kind) in enumerate(steps)
    ]
    (folder / "1_Pooling").mkdir()
    pooling = {"word_embedding_dimension": DIM, "pooling_mode_mean_tokens": False, f"pooling_mode_{mode}": True}
    files = {
        "modules.json": modules,
        "1_Pooling/config.json": pooling,
        "sentence_bert_config.json": {"max_seq_length": longest, "do_lower_case": False},
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
    return folder
