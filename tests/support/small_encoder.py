"""A backbone of BERT's family with random weights, and a table of texts for it."""

import csv
from pathlib import Path

import torch
from encoder_folders import SPECIAL, WORDS, tiny_tokenizer

from thaw.backbones.architectures import build_seeded
from thaw.backbones.encoders.bert import BertShape
from thaw.backbones.weights import write_weights
from thaw.kinds.texts.piece_preprocessing import PiecePreprocessing

WINDOW = 12
SHAPE = BertShape(len(SPECIAL) + len(WORDS), 16, 3, 2, 24, WINDOW, "gelu", 12, "mean", unit=False)


def write_encoder(path: Path) -> Path:
    """The backbone's file. Its random weights are far larger than BERT's, so that layers and texts differ."""
    tokenizer = tiny_tokenizer()
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tensors = {
        name: tensor + 0.2 * torch.randn(tensor.shape, generator=torch.Generator().manual_seed(len(name)))
        for name, tensor in build_seeded(SHAPE.architecture, 2, 0).state_dict().items()
    }
    preprocessing = PiecePreprocessing(tokenizer=tokenizer.to_str(), max_tokens=WINDOW)
    write_weights(path, tensors, {"architecture": SHAPE.architecture, "preprocessing": preprocessing.to_json()})
    return path


def texts(count: int, *, first: int = 0) -> list[tuple[str, str]]:
    """Different texts of 4 to 40 words with their labels, `good` or `bad`, which is a word of theirs."""
    rows = []
    for number in range(first, first + count):
        label = ("good", "bad")[number % 2]
        chance = torch.Generator().manual_seed(number)
        chosen = torch.randint(len(WORDS) - 2, (3 + number % 37,), generator=chance).tolist()
        rows.append(
            (
                " ".join(
                    [f"the {label} film", *(WORDS[each] for each in chosen if WORDS[each] not in ("good", "bad"))]
                ),
                label,
            )
        )
    return rows


def write_table(path: Path, rows: list[tuple[str, str]]) -> Path:
    """A CSV file of texts and labels."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    return path
