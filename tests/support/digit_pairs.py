"""Real label sets: two of scikit-learn's handwritten digits side by side in one picture, labelled with the set of both."""

import csv
from pathlib import Path

import numpy as np
import torch
from digit_images import embedded
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits

from thaw.backbones.backbone import Backbone
from thaw.targets.labelled import LabelledFeatures

NAMES = tuple(str(number) for number in range(10))


def pair_pictures(count: int, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Pictures uint8 [N, 16, 16], the digits in the left and the right half, and the digits that each shows, bool [N, 10]."""
    held = load_digits()
    generator = np.random.default_rng(seed)
    left, right = generator.permutation(len(held.target))[: 2 * count].reshape(2, count)
    pictures = np.zeros((count, 16, 16), np.uint8)
    pictures[:, 4:12, :8] = np.round(held.images[left] * 255 / 16)
    pictures[:, 4:12, 8:] = np.round(held.images[right] * 255 / 16)
    shown = np.zeros((count, 10), np.bool_)
    shown[np.arange(count), held.target[left]] = True
    shown[np.arange(count), held.target[right]] = True
    return pictures, shown


def pair_features(count: int, seed: int = 0, backbone: Backbone | None = None) -> LabelledFeatures:
    """The features of such pictures, by the embedded backbone unless another is given."""
    pictures, shown = pair_pictures(count, seed)
    pixels = torch.from_numpy(pictures).repeat_interleave(2, 1).repeat_interleave(2, 2)
    backbone = backbone or embedded()
    batch = pixels[:, None].expand(-1, 3, -1, -1).contiguous()
    features = torch.cat([backbone.features(part)[backbone.layers[-1]].clone() for part in batch.split(64)])
    return LabelledFeatures(features, torch.from_numpy(shown), NAMES)


def write_pairs(folder: Path, count: int, seed: int = 0) -> None:
    """Write the pictures as PNG with a listing `pairs.csv` of the columns path and labels."""
    pictures, shown = pair_pictures(count, seed)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "pairs.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("path", "labels"))
        for number, picture in enumerate(pictures):
            Image.fromarray(picture).resize((32, 32), Image.Resampling.NEAREST).save(folder / f"{number:04}.png")
            table.writerow((f"{number:04}.png", "|".join(NAMES[place] for place in np.flatnonzero(shown[number]))))
