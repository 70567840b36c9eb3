"""The whole model, pixels to probabilities: preprocessing, backbone and head in one folder, usable without the pipeline."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from thaw.backbones import Backbone, read_written_backbone, write_backbone
from thaw.decoding import decode_pixels
from thaw.heads import FittedHead, read_head, write_head

BATCH = 64


@dataclass(frozen=True)
class Predictor:
    """A frozen backbone and the head that was trained on the features of one of its cut layers."""

    backbone: Backbone
    head: FittedHead
    layer: str

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of the probabilities."""
        return self.head.class_names

    def pixels_of_file(self, content: bytes, max_pixels: int) -> torch.Tensor:
        """An image file's bytes as the backbone takes them, by the way that the training images went: uint8 [3, H, W].

        Raises:
            BadImage: see `thaw.decoding.decode_pixels`.
        """
        return decode_pixels(content, self.backbone.preprocessing, max_pixels)

    def pixels_of_picture(self, image: Image.Image) -> torch.Tensor:
        """The same of a decoded RGB image of any size."""
        return self.backbone.preprocessing.pixels(image)

    def probabilities(self, pixels: Sequence[torch.Tensor]) -> "np.ndarray[Any, np.dtype[np.float32]]":
        """Calibrated probabilities of images, each uint8 [3, H, W] as `pixels_of_file` gives it: float32 [N, C]."""
        found = [self._batch(pixels[start : start + BATCH]) for start in range(0, len(pixels), BATCH)]
        return np.concatenate(found) if found else np.empty((0, len(self.class_names)), np.float32)

    def _batch(self, pixels: Sequence[torch.Tensor]) -> "np.ndarray[Any, np.dtype[np.float32]]":
        probabilities = self.head.probabilities(self.backbone.features(torch.stack(list(pixels)))[self.layer])
        return np.asarray(probabilities.numpy(), np.float32)

    def write(self, folder: Path) -> None:
        """Write the backbone, cut at the head's layer alone and without what lies beyond, and the head: safetensors and JSON."""
        folder.mkdir(parents=True, exist_ok=True)
        write_backbone(self.backbone.only((self.layer,)), folder)
        write_head(self.head, folder)

    @classmethod
    def read(cls, folder: Path) -> "Predictor":
        """Read what `write` wrote.

        Raises:
            BadArtifact: a file is missing, torn, or not the one that was written.
        """
        backbone = read_written_backbone(folder)
        return cls(backbone, read_head(folder), backbone.layers[-1])
