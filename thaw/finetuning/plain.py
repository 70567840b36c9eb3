"""The training of the model without a backbone."""

from thaw.heads import FittedHead, fit_head
from thaw.kinds.kind import Preprocessing
from thaw.kinds.labelled_inputs import LabelledInputs
from thaw.kinds.plain import plain_features
from thaw.models.prediction.plain import plain_predictor
from thaw.models.prediction.predictor import Predictor
from thaw.params.sections import HeadParams
from thaw.targets.labelled import LabelledFeatures


def fit_plain(
    examples: LabelledInputs, val: LabelledInputs | None, preprocessing: Preprocessing, params: HeadParams
) -> tuple[FittedHead, Predictor]:
    """A linear head on the plain features of the examples, and its deployed form. preprocessing: of the examples, see `Kind.plain_preprocessing`.

    val: the examples on which its setting is chosen; None: it is cross-validated. Raises: see `fit_head`.
    """
    features, judging = (None if part is None else _features(part, preprocessing) for part in (examples, val))
    assert features is not None
    fitted = fit_head(features, judging, params)
    return fitted, plain_predictor(fitted, preprocessing)


def _features(examples: LabelledInputs, preprocessing: Preprocessing) -> LabelledFeatures:
    features = plain_features(examples.inputs, preprocessing)
    return LabelledFeatures(features, examples.targets, examples.class_names, examples.groups)
