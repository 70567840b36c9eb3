"""The features of a network of a model's own, which no store holds, for the stage `finetune`."""

import torch

from thaw.backbones.backbone import Backbone
from thaw.kinds.batches import trimmed
from thaw.kinds.labelled_inputs import LabelledInputs
from thaw.models.prediction.predictor import BATCH
from thaw.targets.labelled import LabelledFeatures


def own_features(backbone: Backbone, layer: str, examples: LabelledInputs) -> LabelledFeatures:
    """The features of examples in one layer of the network: float32 [N, D]."""
    batches = (examples.batch(rows) for rows in torch.arange(len(examples)).split(BATCH))
    short = (trimmed(batch, backbone.preprocessing.mask(batch)) for batch in batches)
    parts = [backbone.features(batch)[layer].clone() for batch in short]
    return LabelledFeatures(torch.cat(parts), examples.targets, examples.class_names, examples.groups)
