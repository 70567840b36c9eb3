"""The deployed model's table: exactly the old columns where it knows no unknown, and `neither` with its score where it does."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
from openness_rows import opened_predictor, pictures, predictor_on_digits

from tasks.registry.mlflow_run import _outputs, _signature
from tasks.registry.pyfunc_model import BATCH, ImageClassifier
from thaw.models.predictor import Predictor

CLASSES = ["p_0", "p_1", "p_2"]


def table(predictor: Predictor, folder: Path, images: list[np.ndarray]) -> pd.DataFrame:
    """As MLflow has it made: from what was written."""
    predictor.write(folder)
    model, context = ImageClassifier(), SimpleNamespace(artifacts={"model": str(folder)})
    model.load_context(context)
    return model.predict(context, images)


def test_a_model_without_openness_has_the_old_columns_and_never_says_neither(tmp_path: Path) -> None:
    found = table(predictor_on_digits(), tmp_path, pictures(300, 3))
    assert list(found.columns) == ["label", "confidence", *CLASSES]
    assert set(found["label"]) <= {"0", "1", "2"}
    assert (found.drop(columns="label").dtypes == "float32").all()


def test_a_model_with_it_says_neither_and_how_well_known_each_image_is(tmp_path: Path) -> None:
    images = pictures(200, BATCH)  # two batches
    found = table(opened_predictor(), tmp_path, images)
    assert list(found.columns) == ["label", "confidence", "known_score", *CLASSES]
    assert (found.drop(columns="label").dtypes == "float32").all() and len(found) == 2 * BATCH
    crosses, digits = found[1::2], found[::2]
    assert set(crosses["label"]) == {"neither"} and (digits["label"] != "neither").mean() > 0.8
    threshold = opened_predictor().openness.threshold
    assert ((found["known_score"] >= threshold) == (found["label"] != "neither")).all()
    assert np.allclose(found["confidence"], found[CLASSES].max(axis=1))
    assert list(table(opened_predictor(), tmp_path, []).columns) == list(found.columns)


def test_the_signature_names_the_columns_that_come(tmp_path: Path) -> None:
    for predictor in (predictor_on_digits(), opened_predictor()):
        found = table(predictor, tmp_path / str(predictor.openness is None), pictures(300, 1))
        assert _signature(_outputs(predictor)).outputs.input_names() == list(found.columns)
