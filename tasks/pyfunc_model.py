"""The registered model, as MLflow loads it: this file is logged as code beside `thaw/`, and knows nothing else of the pipeline."""

import base64
import binascii
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.pyfunc import PythonModel, PythonModelContext
from PIL import Image

from thaw.errors import BadImage
from thaw.inputs.images import decode
from thaw.predictor import Predictor

MAX_PIXELS = 100_000_000


class ImageClassifier(PythonModel):  # type: ignore[misc]  # MLflow's class is untyped
    """Labels images: paths, bytes, `data:` URLs, or uint8 arrays [H, W], [H, W, 3] or [H, W, 4], one a row."""

    def load_context(self, context: PythonModelContext) -> None:
        self.predictor = Predictor.read(Path(context.artifacts["model"]))

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """A row an image: label, confidence, and a probability for each class (`p_NAME`)."""
        images = [open_image(value, row) for row, value in enumerate(model_input.iloc[:, 0])]
        probabilities = self.predictor.probabilities(images)
        names = np.array(self.predictor.class_names, dtype=object)
        found = pd.DataFrame({"label": names[probabilities.argmax(1)], "confidence": probabilities.max(1)})
        columns = {f"p_{name}": probabilities[:, number] for number, name in enumerate(names)}
        return pd.concat([found, pd.DataFrame(columns)], axis=1)


def open_image(value: object, row: int) -> Image.Image:
    """One image, RGB.

    Raises:
        ValueError: it is none; the message names the row.
    """
    try:
        if isinstance(value, np.ndarray | list):
            return from_array(np.asarray(value))
        return decode(read(value), MAX_PIXELS)
    except (BadImage, OSError, ValueError, TypeError, binascii.Error) as error:
        shown = value if isinstance(value, str) and len(value) < 200 else type(value).__name__
        raise ValueError(f"row {row} ({shown}) is no image that can be used: {error}") from error


def read(value: object) -> bytes:
    """The bytes of an image that is given as such, as a path, or as a `data:` URL."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, str) and value.startswith("data:"):
        return base64.b64decode(value.partition(",")[2], validate=True)
    if isinstance(value, str | Path):
        return Path(value).read_bytes()
    raise TypeError(f"{type(value).__name__} given; paths, bytes or uint8 arrays are taken")


def from_array(array: np.ndarray[Any, Any]) -> Image.Image:
    """uint8 [H, W], [H, W, 1], [H, W, 3] or [H, W, 4] to RGB."""
    if array.dtype != np.uint8:
        if not np.issubdtype(array.dtype, np.integer) or array.min() < 0 or array.max() > 255:
            raise ValueError(f"an array of {array.dtype} given; uint8 is taken")
        array = array.astype(np.uint8)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    return Image.fromarray(array).convert("RGB")


mlflow.models.set_model(ImageClassifier())
