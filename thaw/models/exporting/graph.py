"""The whole model as one graph from prepared examples; normalisation, backbone, pooling, head and calibration are inside."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram, export

from thaw.backbones.pooling import pool
from thaw.backbones.tokens import tokens_of
from thaw.foundation.errors import BadExport
from thaw.heads.neighbours import NeighboursModel
from thaw.heads.open_set.scores import Mahalanobis, Neighbours
from thaw.kinds.batches import Batch, alone, changed, laid_out, tensor_of
from thaw.models.prediction.answer import Answer
from thaw.models.prediction.predictor import Predictor
from thaw.targets.target import NEITHER

Arrays = tuple[np.ndarray[Any, Any], ...]

BATCH = "N"
"""The name of the dimension of the batch, which may have any length from 1 on."""
LENGTH = "L"
"""The name of the dimension in which examples differ; its length is that of the longest of a batch."""


@dataclass(frozen=True)
class Output:
    """One input or output of the graph, of N examples."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]
    meaning: str


def outputs_of(predictor: Predictor) -> tuple[Output, ...]:
    """The outputs of a model's graph, in order."""
    by_class = (BATCH, len(predictor.class_names))
    head = predictor.head
    outputs = [Output("probabilities", "float32", by_class, f"calibrated, {head.target.probabilities_are}")]
    if head.thresholds is not None:
        outputs += [
            Output("named", "bool", by_class, "whether the class is named: its probability reaches its threshold")
        ]
    if predictor.openness is not None:
        outputs += [
            Output("known_score", "float32", (BATCH,), "larger for what is better known"),
            Output(
                "accepted",
                "bool",
                (BATCH,),
                f"whether the score reaches the threshold: if not, the label is `{NEITHER}`",
            ),
        ]
    return tuple(outputs)


def inputs_of(predictor: Predictor) -> tuple[Output, ...]:
    """The inputs of a model's graph, in order: prepared examples, not normalised. A second dimension of tensors in a mapping may have any length."""
    blank, kind = predictor.backbone.preprocessing.blank(), predictor.backbone.kind
    if isinstance(blank, Tensor):
        return (Output(kind.input_name, _dtype(blank), (BATCH, *blank.shape), kind.input_meaning),)
    return tuple(
        Output(
            name, _dtype(tensor), (BATCH, *((LENGTH, *tensor.shape[1:]) if tensor.dim() else ())), kind.input_meaning
        )
        for name, tensor in blank.items()
    )


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def export_program(predictor: Predictor) -> ExportedProgram:
    """The graph of a model by torch.export, with a dynamic batch, from `inputs_of` to `outputs_of`.

    It holds no example input, which torch would pickle, and no path of this machine.

    Raises:
        BadExport: torch.export cannot express the network.
    """
    graph = ExamplesToAnswer(predictor).eval()
    example = _two_of(predictor)
    try:
        with torch.no_grad():
            program = export(graph, (example,), dynamic_shapes=(_dynamic(example),))
    except Exception as error:  # torch raises errors of many types for networks that it cannot express
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise BadExport(f"torch.export cannot express {predictor.backbone.architecture}: {reason}") from error
    program.example_inputs = None
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)
    return program


def _two_of(predictor: Predictor) -> Batch:
    """Two blank examples, because torch may fix the lengths 0 and 1."""
    return changed(
        alone(predictor.backbone.preprocessing.blank()),
        lambda tensor: torch.zeros_like(tensor).repeat(2, *[1] * (tensor.dim() - 1)),
    )


def _dynamic(example: Batch) -> Any:
    """The dimensions of any length: the batch, and the dimension in which examples differ."""
    batch = Dim("batch")
    if isinstance(example, Tensor):
        return {0: batch}
    length = Dim("length", min=2)
    return {name: {0: batch, 1: length} if tensor.dim() > 1 else {0: batch} for name, tensor in example.items()}


def answer_of(predictor: Predictor, outputs: Sequence[np.ndarray[Any, Any]]) -> Answer:
    """The outputs of a model's graph, converted to the model's kind of answer."""
    arrays = {output.name: array for output, array in zip(outputs_of(predictor), outputs, strict=True)}
    head, probabilities, known = predictor.head, arrays["probabilities"], arrays.get("known_score")
    named = arrays["named"] if "named" in arrays else head.named(torch.from_numpy(probabilities)).numpy()
    if "accepted" in arrays:
        named = named & arrays["accepted"][:, None]
    return Answer(predictor.class_names, probabilities, named, known, head.target_name)


class ExamplesToAnswer(nn.Module):
    """The module from prepared examples to the outputs of `outputs_of`, with the same numbers as the predictor."""

    def __init__(self, predictor: Predictor) -> None:
        super().__init__()
        self.preprocessing = predictor.backbone.preprocessing
        affine = self.preprocessing.scale_and_shift()
        self.is_affine = affine is not None
        if affine is not None:
            self.scale, self.shift = (nn.Buffer(each) for each in affine)
        self.network = predictor.backbone.only((predictor.layer,)).extractor
        self.pooling, self.span = predictor.backbone.pooling, predictor.backbone.span(predictor.layer)
        self.tokens = tokens_of(predictor.backbone.model)
        self.head, self.openness = predictor.head, predictor.openness
        self.target = predictor.head.target

    def forward(self, batch: Batch) -> tuple[Tensor, ...]:
        """See the class."""
        (output,) = self.network(laid_out(self._normalised(batch))).values()
        features = pool(output, self.pooling, self.preprocessing.mask(batch), self.span, self.tokens)
        return self._say(features)

    def _normalised(self, batch: Batch) -> Batch:
        if not self.is_affine:
            return self.preprocessing.normalise(batch)
        return tensor_of(batch).float() * self.scale - self.shift

    def _say(self, features: Tensor) -> tuple[Tensor, ...]:
        """The counterpart of `thaw.models.prediction.answer.answer`, with all rows at once."""
        model = self.head.model
        raw = model.logits_at_once(features) if isinstance(model, NeighboursModel) else model.logits(features)
        logits = self.head.calibrated(raw)
        probabilities = self.target.probabilities(logits)
        outputs: tuple[Tensor, ...] = (probabilities,)
        if self.head.thresholds is not None:
            outputs += (self.target.named(probabilities, self.head.thresholds),)
        if self.openness is None:
            return outputs
        score = self.openness.score
        in_blocks = Mahalanobis | Neighbours
        known = score.known_at_once(features) if isinstance(score, in_blocks) else score.known(features, logits)
        return *outputs, known, self.openness.accepts(known)
