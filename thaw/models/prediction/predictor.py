"""The whole model, from examples to probabilities: preprocessing, backbone and head in one folder, usable without the pipeline."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from thaw.backbones.backbone import Backbone, read_written_backbone, write_backbone
from thaw.foundation.errors import HearsTriggers
from thaw.heads import FittedHead, read_head, write_head
from thaw.heads.open_set import Openness, read_openness, remove_openness, write_openness
from thaw.heads.trigger.storage import holds_trigger_head
from thaw.kinds.batches import Batch, in_groups, trimmed
from thaw.kinds.kind import Limits
from thaw.kinds.prepared import open_reader
from thaw.models.prediction.answer import Answer, answer

BATCH = 64


@dataclass(frozen=True)
class Predictor:
    """A frozen backbone, the head that was trained on the features of one of its cut layers, and the openness, if there is one."""

    backbone: Backbone
    head: FittedHead
    layer: str
    openness: Openness | None = None

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of the probabilities."""
        return self.head.class_names

    @property
    def answers(self) -> tuple[str, ...]:
        """The names of `Answer.columns`."""
        return (*self.head.target.answers, *(() if self.openness is None else ("known_score",)))

    def prepare(self, content: bytes, limits: Limits) -> Batch:
        """Prepare an example's bytes for the backbone, in the same way as the training examples.

        Raises:
            BadExample: the bytes are no example, or damaged, or larger than the limits.
        """
        return open_reader(self.backbone.preprocessing, limits).prepare(content)

    def probabilities(self, examples: Sequence[Batch]) -> "np.ndarray[Any, np.dtype[np.float32]]":
        """Calibrated probabilities of examples, each prepared by `prepare`: float32 [N, C]."""
        return self.predict(examples).probabilities

    def predict(self, examples: Sequence[Batch]) -> Answer:
        """The model's answer for examples, each prepared by `prepare`."""
        if not examples:
            return answer(self.head, self.openness, torch.empty(0, self.head.on_features.standardisation.mean.shape[0]))
        features = in_groups(examples, BATCH, self._features)
        return answer(self.head, self.openness, features)

    def log_odds(self, examples: Sequence[Batch]) -> torch.Tensor:
        """Calibrated log-odds of each class, float64 [N, C], of at least one example, each prepared by `prepare`."""
        return self.head.log_odds(in_groups(examples, BATCH, self._features))

    def _features(self, examples: Sequence[Batch]) -> torch.Tensor:
        batch = self.backbone.kind.collate(examples)
        return self.backbone.features(trimmed(batch, self.backbone.preprocessing.mask(batch)))[self.layer]

    def write(self, folder: Path) -> None:
        """Write the backbone up to the head's layer, the head and its openness as safetensors and JSON."""
        folder.mkdir(parents=True, exist_ok=True)
        write_backbone(self.backbone.only((self.layer,)), folder)
        remove_openness(folder)
        write_head(self.head, folder)
        if self.openness is not None:
            write_openness(self.openness, folder)

    @classmethod
    def read(cls, folder: Path) -> "Predictor":
        """Read a model of `write`.

        Raises:
            BadArtifact: a file is missing, torn, or not the written one.
            HearsTriggers: the model hears triggers.
        """
        if holds_trigger_head(folder):
            raise HearsTriggers(
                "this model hears triggers in recordings, and gives no features; `thaw predict FOLDER` and `thaw listen` take it"
            )
        backbone = read_written_backbone(folder)
        return cls(backbone, read_head(folder), backbone.layers[-1], read_openness(folder))
