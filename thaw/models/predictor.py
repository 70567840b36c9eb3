"""The whole model, pixels to probabilities: preprocessing, backbone and head in one folder, usable without the pipeline."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from thaw.backbones.backbone import Backbone, read_written_backbone, write_backbone
from thaw.heads import FittedHead, read_head, write_head
from thaw.heads.open_set import Openness, read_openness, remove_openness, write_openness
from thaw.kinds.images.decoding import decode_pixels
from thaw.kinds.kind import Limits
from thaw.models.answer import Answer, answer

BATCH = 64


@dataclass(frozen=True)
class Predictor:
    """A frozen backbone and the head that was trained on the features of one of its cut layers; and what tells inputs of no known class, if there is any."""

    backbone: Backbone
    head: FittedHead
    layer: str
    openness: Openness | None = None

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of the probabilities."""
        return self.head.class_names

    def pixels_of_file(self, content: bytes, limits: Limits) -> torch.Tensor:
        """An image file's bytes as the backbone takes them, by the way that the training images went: uint8 [3, H, W].

        Raises:
            BadExample: see `thaw.kinds.images.decoding.decode_pixels`.
        """
        return decode_pixels(content, self.backbone.preprocessing, limits.max_pixels)

    def pixels_of_picture(self, image: Image.Image) -> torch.Tensor:
        """The same of a decoded RGB image of any size."""
        return self.backbone.preprocessing.pixels(image)

    def probabilities(self, pixels: Sequence[torch.Tensor]) -> "np.ndarray[Any, np.dtype[np.float32]]":
        """Calibrated probabilities of images, each uint8 [3, H, W] as `pixels_of_file` gives it: float32 [N, C]."""
        return self.predict(pixels).probabilities

    def predict(self, pixels: Sequence[torch.Tensor]) -> Answer:
        """What the model says of images, each uint8 [3, H, W] as `pixels_of_file` gives it."""
        parts = [self._features(pixels[start : start + BATCH]) for start in range(0, len(pixels), BATCH)]
        features = torch.cat(parts) if parts else torch.empty(0, self.head.model.standardisation.mean.shape[0])
        return answer(self.head, self.openness, features)

    def _features(self, pixels: Sequence[torch.Tensor]) -> torch.Tensor:
        return self.backbone.features(torch.stack(list(pixels)))[self.layer]

    def write(self, folder: Path) -> None:
        """Write the backbone, cut at the head's layer alone and without what lies beyond, the head and its openness: safetensors and JSON."""
        folder.mkdir(parents=True, exist_ok=True)
        write_backbone(self.backbone.only((self.layer,)), folder)
        remove_openness(folder)
        write_head(self.head, folder)
        if self.openness is not None:
            write_openness(self.openness, folder)

    @classmethod
    def read(cls, folder: Path) -> "Predictor":
        """Read what `write` wrote.

        Raises:
            BadArtifact: a file is missing, torn, or not the one that was written.
        """
        backbone = read_written_backbone(folder)
        return cls(backbone, read_head(folder), backbone.layers[-1], read_openness(folder))
