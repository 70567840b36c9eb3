"""Three ways to the same answer."""

import json
from pathlib import Path

import pytest
import torch
from exports import images, inexpressible, model

from thaw.models.exporting.parity import measure_parity, write_parity


def cached(kind: str, pixels: list[torch.Tensor]) -> torch.Tensor:
    predictor = model(kind)
    return predictor.backbone.features(torch.stack(pixels))[predictor.layer].clone()


@pytest.mark.parametrize("kind", ["linear", "opened by neighbours", "sets"])
def test_the_ways_agree(kind: str) -> None:
    pixels = images(kind, 10)
    found = measure_parity(model(kind), pixels, cached(kind, pixels))
    assert found.rows == 10 and found.files is not None and found.exported is not None
    assert found.files.labels_equal == found.exported.labels_equal == 1
    assert max(found.files.largest_difference, found.exported.largest_difference) < 1e-5


def test_features_that_are_not_those_of_the_images_show() -> None:
    pixels = images("linear", 10)
    found = measure_parity(model("linear"), pixels, cached("linear", pixels).flip(0))
    assert found.files is not None and found.exported is not None
    assert found.files.labels_equal < 0.8 and found.files.largest_difference > 0.1
    assert found.exported == found.files, "both are compared with the cached features"


def test_a_fine_tuned_model_has_no_cached_features(tmp_path: Path) -> None:
    found = measure_parity(model("from scratch"), images("linear", 5), None)
    assert found.files is None and found.exported is not None and found.exported.largest_difference < 1e-5
    write_parity(found, tmp_path / "parity.json")
    read = json.loads((tmp_path / "parity.json").read_text())
    assert read["rows"] == 5 and read["pixels"] is None
    assert read["exported"].keys() == {"labels_equal", "largest_difference"}


def test_what_cannot_be_exported_is_told_and_stops_nothing() -> None:
    found = measure_parity(inexpressible(), images("linear", 3), None)
    assert found.exported is None and "torch.export cannot express" in str(found.reason)
