"""The graph of a trigger: frames of sound in, a score for each window out; front end, network and detector are inside."""

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram, export

from thaw.backbones.places import Span
from thaw.features.sequences.network import rate_of, refuse_unless_local
from thaw.foundation.errors import BadExport
from thaw.kinds.sounds.framed import MASK, SAMPLES, hop_of
from thaw.models.listening.trigger_model import TriggerModel

SCORES = "scores"


def window_of(model: TriggerModel, span: Span) -> int:
    """The frames that one score is computed from."""
    return (model.detector.places - 1) * span.stride + span.window


def least_of(model: TriggerModel, span: Span) -> int:
    """The frames that the graph takes at least: the network fills fewer with zeros, and torch may fix the lengths of one window and of none."""
    return max(window_of(model, span), span.filled) + span.stride


class FramesToScores(nn.Module):
    """The module from N sounds in frames, float32 [N, F, hop] with F as `least_of` says, to the scores of all windows, float32 [N, P]."""

    def __init__(self, model: TriggerModel) -> None:
        super().__init__()
        self.detector, self.preprocessing = model.detector, model.backbone.preprocessing
        self.network = model.backbone.only(model.backbone.layers[-1:]).extractor

    def forward(self, samples: Tensor) -> Tensor:
        """See the class."""
        batch = {SAMPLES: samples, MASK: torch.ones_like(samples[:, :, 0], dtype=torch.bool)}
        (places,) = self.network(self.preprocessing.normalise(batch)).values()
        behind = self.detector.places - 1
        # By their beginnings: `unfold` has no form in ONNX for any length.
        windows = [places[:, start : places.shape[1] - behind + start] for start in range(behind + 1)]
        return self.detector.model.logits(torch.cat(windows, 2).flatten(0, 1)).view(
            samples.shape[0], places.shape[1] - behind
        )


def export_frames(model: TriggerModel) -> ExportedProgram:
    """The graph by torch.export, for any number of frames from `least_of` on.

    Raises:
        BadExport: torch.export cannot express the network.
    """
    span = refuse_unless_local(model.backbone)
    least = least_of(model, span)
    # Two of them, because torch may fix the lengths 0 and 1.
    example = torch.zeros(2, least + 100, hop_of(rate_of(model.backbone)))
    shapes = ({0: Dim("batch"), 1: Dim("frames", min=least)},)
    try:
        with torch.no_grad():
            return export(FramesToScores(model).eval(), (example,), dynamic_shapes=shapes)
    except Exception as error:  # torch raises errors of many types for networks that it cannot express
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise BadExport(f"torch.export cannot express {model.backbone.architecture}: {reason}") from error
