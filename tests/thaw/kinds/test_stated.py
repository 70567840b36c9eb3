"""The kind comes from the header of the weights, or from the parameters; both must agree."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from series_source import write_backbone

from thaw.foundation.errors import BadParameters
from thaw.kinds.registry import kind_names, preprocessing_from_json, requirement_of
from thaw.kinds.stated import kind_stated_in, settle_kind


def test_weights_that_state_nothing_take_images(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(2)}, tmp_path / "plain.safetensors")
    (tmp_path / "official.pth").write_bytes(b"not read")
    assert kind_stated_in(tmp_path / "plain.safetensors") == kind_stated_in(tmp_path / "official.pth") == "images"
    assert settle_kind("auto", tmp_path / "plain.safetensors").name == "images"


@pytest.mark.parametrize(
    "content", [b"", b"\xff" * 8, b"\x08\0\0\0\0\0\0\0[1, 2, 3", b"\x02\0\0\0\0\0\0\0{}", b"\x02\0\0\0\0\0\0\0[]"]
)
def test_a_damaged_header_is_told_of_by_whoever_reads_the_weights(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "torn.safetensors").write_bytes(content)
    assert kind_stated_in(tmp_path / "torn.safetensors") == "images"


def test_of_weights_that_are_not_there_nothing_is_known(tmp_path: Path) -> None:
    assert kind_stated_in(tmp_path / "none.safetensors") is None
    assert settle_kind("auto", tmp_path / "none.safetensors").name == "images"
    assert settle_kind("images", tmp_path / "none.safetensors").name == "images"


@pytest.mark.usefixtures("series")
def test_a_package_brings_a_kind_and_weights_state_it(tmp_path: Path) -> None:
    weights = write_backbone(tmp_path / "series.safetensors")
    assert kind_names() == ("images", "texts", "sounds", "series") and requirement_of("series") == "series-kind==1.0"
    assert kind_stated_in(weights) == "series" and settle_kind("auto", weights).words.one == "series"
    assert preprocessing_from_json('{"kind": "series", "mean": 1.0, "std": 2.0}').kind == "series"
    with pytest.raises(
        BadParameters,
        match=r"dataset\.kind: images given, and the backbone .* takes series; name weights that take images",
    ):
        settle_kind("images", weights)


def test_a_kind_that_nobody_brings_is_refused(tmp_path: Path) -> None:
    weights = write_backbone(tmp_path / "series.safetensors")
    assert kind_names() == ("images", "texts", "sounds") and requirement_of("images") is None
    with pytest.raises(BadParameters, match="`series` is no kind of examples; there are images, texts"):
        settle_kind("auto", weights)
