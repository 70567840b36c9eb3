"""The deployed model's table: exactly the old columns where it knows no unknown, and `neither` with its score where it does."""

import base64
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from openness_rows import opened_predictor, pictures, predictor_on_digits
from PIL import Image

from tasks.registry.mlflow_run import _outputs, _signature
from tasks.registry.pyfunc_model import BATCH, Classifier
from thaw.models.prediction.predictor import Predictor

CLASSES = ["p_0", "p_1", "p_2"]


def table(predictor: Predictor, folder: Path, images: list[np.ndarray]) -> pd.DataFrame:
    """As MLflow has it made: from what was written."""
    predictor.write(folder)
    model, context = Classifier(), SimpleNamespace(artifacts={"model": str(folder)})
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


def test_an_array_and_a_file_of_its_pixels_have_one_answer_whatever_the_way_in(tmp_path: Path) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (90, 70, 3), dtype=np.uint8)
    file = tmp_path / "photo.png"
    Image.fromarray(photo).save(file)
    address = f"data:image/png;base64,{base64.b64encode(file.read_bytes()).decode()}"
    given = [photo, photo.tolist(), str(file), file.read_bytes(), address]
    found = table(predictor_on_digits(), tmp_path / "model", given)
    assert all((found.loc[row] == found.loc[0]).all() for row in range(1, len(given)))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (np.zeros((2, 2, 5), np.uint8), "shape"),
        (np.full((2, 2), 300), "uint8 is taken"),
        (3.5, "float; paths, bytes"),
        ("data:image/png;base64,%%%", "not base64"),
        (b"no image", "is not an image"),
    ],
)
def test_what_is_no_image_is_refused_with_its_row(value: object, reason: str, tmp_path: Path) -> None:
    with pytest.raises(
        ValueError,
        match=rf"row 1 is no image that can be used: .*{reason}|row 1 .* is no image that can be used: .*{reason}",
    ):
        table(predictor_on_digits(), tmp_path, [np.zeros((9, 9), np.uint8), value])
