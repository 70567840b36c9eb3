"""The program in an export's README shows deep greys by the windows of the model."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from thaw.kinds.images.decoding import decode_pixels
from thaw.kinds.images.preprocessing import Preprocessing
from thaw.kinds.images.recipe import CODE


@pytest.mark.parametrize("windows", [((1500.0, 900.0),), ((800.0, 900.0), (1500.0, 3000.0), (3500.0, 500.0))])
def test_its_windows_are_those_of_the_model(windows: tuple[tuple[float, float], ...], tmp_path: Path) -> None:
    preprocessing = Preprocessing((40, 40), 32, "bilinear", (0.5,) * 3, (0.5,) * 3).with_windows(windows)
    values = np.random.default_rng(0).integers(0, 4096, (40, 40)).astype(np.uint16)
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG")
    (tmp_path / "a.png").write_bytes(buffer.getvalue())
    names = {"np": np, "Image": Image, "ImageOps": ImageOps}
    names["card"] = {"preprocessing": json.loads(preprocessing.to_json()), "input": {"name": "pixels"}}  # type: ignore[assignment]
    exec(CODE, names)  # noqa: S102  # the README has it for people to run
    (own,) = names["batch_of"]([tmp_path / "a.png"])["pixels"]  # type: ignore[operator]
    np.testing.assert_array_equal(own, decode_pixels(buffer.getvalue(), preprocessing, 10**6).numpy())
