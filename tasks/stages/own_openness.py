"""The openness of a model with a network of its own, for the stage `finetune`."""

from dataclasses import replace

from tasks.project.progress import counted
from tasks.stages.own_features import own_features
from thaw.heads.open_set.fitting import fit_openness
from thaw.kinds.labelled_inputs import LabelledInputs
from thaw.models.prediction.predictor import Predictor
from thaw.params.sections import Params


def opened(model: Predictor, examples: LabelledInputs, val: LabelledInputs | None, params: Params) -> Predictor:
    """The model with an openness that is fitted on its own features, if the parameters ask for it."""
    if params.openness.score == "none" and params.openness.background is None:
        return model
    train = own_features(model.backbone, model.layer, examples)
    held_out = None if val is None else own_features(model.backbone, model.layer, val)
    with counted("openness", "fits") as progress:
        openness = fit_openness(
            model.head,
            train,
            held_out,
            params=params.openness,
            head_params=params.head,
            confidence=params.statistics.confidence,
            progress=progress,
        )
    return replace(model, openness=openness)
