"""The whole model as one graph: uint8 pixels in; normalisation, backbone, pooling, head and calibration inside."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram, export

from thaw.backbones.pooling import pool
from thaw.foundation.errors import BadExport
from thaw.heads.neighbours import NeighboursModel
from thaw.heads.open_set.scores import Mahalanobis, Neighbours
from thaw.models.answer import Answer
from thaw.models.predictor import Predictor

Arrays = tuple[np.ndarray[Any, Any], ...]

INPUT = "pixels"
BATCH = "N"
"""The name of the dimension that may have any length from 1 on."""


@dataclass(frozen=True)
class Output:
    """One output of the graph, of N images."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]
    meaning: str


def outputs_of(predictor: Predictor) -> tuple[Output, ...]:
    """What the graph of a model gives, in this order."""
    by_class = (BATCH, len(predictor.class_names))
    if not predictor.head.target.exclusive:
        return (
            Output("probabilities", "float32", by_class, "calibrated, each class by itself"),
            Output("named", "bool", by_class, "whether the class is named: its probability reaches its threshold"),
        )
    probabilities = Output("probabilities", "float32", by_class, "calibrated, of sum 1")
    if predictor.openness is None:
        return (probabilities,)
    return (
        probabilities,
        Output("known_score", "float32", (BATCH,), "larger for what is better known"),
        Output("accepted", "bool", (BATCH,), "whether the score reaches the threshold: if not, the label is `neither`"),
    )


def input_shape(predictor: Predictor) -> tuple[int, int, int]:
    """Of one image as the graph takes it: (3, H, W)."""
    channels, height, width = predictor.pixels_of_picture(Image.new("RGB", (64, 64))).shape
    return channels, height, width


def export_program(predictor: Predictor) -> ExportedProgram:
    """The graph of a model by torch.export, with a dynamic batch. It takes uint8 [N, 3, H, W] and gives `outputs_of`.

    It carries no example input, which torch would pickle, and no trace of this machine's paths.

    Raises:
        BadExport: torch.export cannot express the network.
    """
    graph = PixelsToAnswer(predictor).eval()
    example = torch.zeros(2, *input_shape(predictor), dtype=torch.uint8)  # 0 and 1 are lengths that torch may nail down
    try:
        with torch.no_grad():
            program = export(graph, (example,), dynamic_shapes=({0: Dim("batch")},))
    except Exception as error:  # torch raises nearly anything on what it cannot express
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise BadExport(f"torch.export cannot express {predictor.backbone.architecture}: {reason}") from error
    program.example_inputs = None
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)
    return program


def answer_of(predictor: Predictor, outputs: Sequence[np.ndarray[Any, Any]]) -> Answer:
    """The outputs of a model's graph as the answer that the model itself gives."""
    probabilities, *others = outputs
    head = predictor.head
    if not head.target.exclusive:
        return Answer(predictor.class_names, probabilities, others[0], None, head.target_name)
    named = head.named(torch.from_numpy(probabilities)).numpy()
    known, accepted = others if others else (None, np.ones(len(probabilities), np.bool_))
    return Answer(predictor.class_names, probabilities, named & accepted[:, None], known, head.target_name)


class PixelsToAnswer(nn.Module):
    """uint8 [N, 3, H, W] to the outputs that `outputs_of` names; the same numbers as the predictor gives."""

    def __init__(self, predictor: Predictor) -> None:
        super().__init__()
        scale, shift = predictor.backbone.preprocessing.scale_and_shift()
        self.scale = nn.Buffer(scale)
        self.shift = nn.Buffer(shift)
        self.network = predictor.backbone.only((predictor.layer,)).extractor
        self.pooling = predictor.backbone.pooling
        self.head, self.openness = predictor.head, predictor.openness
        self.target = predictor.head.target

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        normalised = pixels.float() * self.scale - self.shift
        (output,) = self.network(normalised.contiguous(memory_format=torch.channels_last)).values()
        features = pool(output, self.pooling)
        return self._say(features)

    def _say(self, features: Tensor) -> tuple[Tensor, ...]:
        """As `thaw.models.answer.answer`, but all rows at once."""
        model = self.head.model
        raw = model.logits_at_once(features) if isinstance(model, NeighboursModel) else model.logits(features)
        logits = self.head.calibrated(raw)
        probabilities = self.target.probabilities(logits)
        if not self.target.exclusive:
            return probabilities, self.target.named(probabilities, self.head.thresholds)
        if self.openness is None:
            return (probabilities,)
        score = self.openness.score
        in_blocks = Mahalanobis | Neighbours
        known = score.known_at_once(features) if isinstance(score, in_blocks) else score.known(features, logits)
        return probabilities, known, self.openness.accepts(known)
