"""The whole model for label sets, pixels to a set: the counterpart of `thaw.models.predictor`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from thaw.backbones.backbone import Backbone, read_written_backbone, write_backbone
from thaw.heads.label_sets_fitted import LabelSetHead
from thaw.heads.label_sets_storage import holds_label_set_head, read_label_set_head, write_label_set_head
from thaw.kinds.images.decoding import decode_pixels
from thaw.kinds.kind import Limits
from thaw.models.predictor import BATCH, Predictor


@dataclass(frozen=True, eq=False)
class LabelSetAnswer:
    """What a model says of N images. probabilities: float32 [N, C], calibrated, each class by itself; named: bool [N, C]."""

    class_names: tuple[str, ...]
    probabilities: "np.ndarray[Any, np.dtype[np.float32]]"
    named: "np.ndarray[Any, np.dtype[np.bool_]]"

    @property
    def labels(self) -> list[list[str]]:
        """The names of each image, in the order of the classes; none where nothing is named."""
        return [[self.class_names[place] for place in np.flatnonzero(row)] for row in self.named]


@dataclass(frozen=True)
class LabelSetPredictor:
    """A frozen backbone and the head for label sets that was trained on the features of one of its cut layers."""

    backbone: Backbone
    head: LabelSetHead
    layer: str

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of the probabilities."""
        return self.head.class_names

    def pixels_of_file(self, content: bytes, limits: Limits) -> torch.Tensor:
        """An image file's bytes as the backbone takes them: uint8 [3, H, W].

        Raises:
            BadExample: see `thaw.kinds.images.decoding.decode_pixels`.
        """
        return decode_pixels(content, self.backbone.preprocessing, limits.max_pixels)

    def pixels_of_picture(self, image: Image.Image) -> torch.Tensor:
        """The same of a decoded RGB image of any size."""
        return self.backbone.preprocessing.pixels(image)

    def predict(self, pixels: Sequence[torch.Tensor]) -> LabelSetAnswer:
        """What the model says of images, each uint8 [3, H, W] as `pixels_of_file` gives it."""
        found = [self._probabilities(pixels[start : start + BATCH]) for start in range(0, len(pixels), BATCH)]
        probabilities = torch.cat(found) if found else torch.empty(0, len(self.class_names))
        return LabelSetAnswer(self.class_names, probabilities.numpy(), self.head.named(probabilities).numpy())

    def _probabilities(self, pixels: Sequence[torch.Tensor]) -> torch.Tensor:
        return self.head.probabilities(self.backbone.features(torch.stack(list(pixels)))[self.layer])

    def write(self, folder: Path) -> None:
        """Write the backbone, cut at the head's layer alone and without what lies beyond, and the head: safetensors and JSON."""
        folder.mkdir(parents=True, exist_ok=True)
        write_backbone(self.backbone.only((self.layer,)), folder)
        write_label_set_head(self.head, folder)

    @classmethod
    def read(cls, folder: Path) -> "LabelSetPredictor":
        """Read what `write` wrote.

        Raises:
            BadArtifact: a file is missing, torn, or not the one that was written.
        """
        backbone = read_written_backbone(folder)
        return cls(backbone, read_label_set_head(folder), backbone.layers[-1])


def read_any_predictor(folder: Path) -> Predictor | LabelSetPredictor:
    """The model in `folder`, of whichever kind it is.

    Raises:
        BadArtifact: see `read`.
    """
    return LabelSetPredictor.read(folder) if holds_label_set_head(folder) else Predictor.read(folder)
