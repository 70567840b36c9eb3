"""Small labelled sources of each kind, real where it is cheap: digits as files, tones, texts with a cue."""

import csv
from pathlib import Path

import numpy as np
from PIL import Image
from plain_texts import cued
from sklearn.datasets import load_digits

CLASSES = 3
A_CLASS = 16


def write_digits(root: Path, classes: int = CLASSES, count: int = A_CLASS) -> Path:
    """`count` digits of each class, 8 x 8 pixels: `3/07.png`."""
    held = load_digits(n_class=classes)
    for label in range(classes):
        for number, pixels in enumerate(held.images[held.target == label][:count]):
            path = root / str(label) / f"{number:02}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.rint(pixels * 255 / 16).astype(np.uint8)).save(path)
    return root


def write_texts(path: Path, count: int = 90) -> Path:
    """A table of texts of three classes."""
    texts, targets = cued(count, 3)
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("text", "label"))
        table.writerows((text, f"class {target}") for text, target in zip(texts, targets.tolist(), strict=True))
    return path
