"""The reading of a model of any target from its folder."""

from pathlib import Path

from thaw.heads.trigger.storage import holds_trigger_head
from thaw.models.prediction.predictor import Predictor
from thaw.models.prediction.trigger_predictor import TriggerPredictor

Model = Predictor | TriggerPredictor


def read_model(folder: Path) -> Model:
    """The model in a folder.

    Raises:
        BadArtifact: a file is missing, torn, or not the written one.
    """
    return TriggerPredictor.read(folder) if holds_trigger_head(folder) else Predictor.read(folder)
