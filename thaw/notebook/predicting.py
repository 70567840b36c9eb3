"""The answers of a model for examples as people give them."""

from typing import TYPE_CHECKING

import pyarrow as pa

from thaw.foundation.parallel.progress import following
from thaw.models.prediction.predictor import Predictor
from thaw.models.scoring.scoring import Scorer
from thaw.notebook.featuring import AT_ONCE, featuring
from thaw.notebook.inputs import inputs_of
from thaw.notebook.setup import Setup

if TYPE_CHECKING:
    import pandas as pd


def predicted(predictor: Predictor, setup: Setup, fingerprint: str, examples: object) -> "pd.DataFrame":
    """See `Model.predict`. fingerprint: of the features that the model was trained on; without one its features are not kept."""
    inputs = inputs_of(examples, predictor.backbone.kind, setup.params.dataset.encoding)
    tables, many = [], setup.kind.words.many
    keep = None if fingerprint else False
    with (
        featuring(setup, predictor.backbone, len(inputs), fingerprint, keep=keep) as ready,
        setup.teller.counted("predicting", many) as progress,
    ):
        scorer = Scorer(predictor, ready)
        for start in range(0, max(1, len(inputs)), AT_ONCE):
            part = inputs[start : start + AT_ONCE]
            tables.append(scorer.score(part, len(inputs) - start, following(progress, start, len(inputs))))
    return _frame(pa.concat_tables(tables), predictor)


def _frame(table: pa.Table, predictor: Predictor) -> "pd.DataFrame":
    import numpy as np
    import pandas as pd

    columns = {"example": table["path"].to_pylist()}
    columns |= {name: table[name].to_pylist() for name in predictor.answers}
    names = predictor.class_names
    rows = [each if each is not None else [None] * len(names) for each in table["probabilities"].to_pylist()]
    probabilities = pd.DataFrame(
        np.array(rows, np.float32).reshape(len(rows), len(names)), columns=[f"p_{name}" for name in names]
    )
    reasons = pd.DataFrame({"reason": table["reason"].to_pylist()})
    return pd.concat([pd.DataFrame(columns), probabilities, reasons], axis=1)
