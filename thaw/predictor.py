"""The whole model, pixels to probabilities: preprocessing, backbone and head in one folder, usable without the pipeline."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from thaw.backbones import Backbone, read_written_backbone, write_backbone
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

    def probabilities(self, images: Sequence[Image.Image]) -> "np.ndarray[Any, np.dtype[np.float32]]":
        """Calibrated probabilities of RGB images of any size: float32 [N, C]."""
        found = [self._batch(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
        return np.concatenate(found) if found else np.empty((0, len(self.class_names)), np.float32)

    def _batch(self, images: Sequence[Image.Image]) -> "np.ndarray[Any, np.dtype[np.float32]]":
        pixels = torch.stack([self.backbone.preprocessing.pixels(image) for image in images])
        probabilities = self.head.probabilities(self.backbone.features(pixels)[self.layer])
        return np.asarray(probabilities.numpy(), np.float32)

    def write(self, folder: Path) -> None:
        """Write the backbone, cut at the head's layer alone, and the head: safetensors and JSON."""
        folder.mkdir(parents=True, exist_ok=True)
        write_backbone(self.backbone, folder)
        write_head(self.head, folder)

    @classmethod
    def read(cls, folder: Path) -> "Predictor":
        """Read what `write` wrote.

        Raises:
            BadArtifact: a file is missing, torn, or not the one that was written.
        """
        backbone = read_written_backbone(folder)
        return cls(backbone, read_head(folder), backbone.layers[-1])
