"""The kind of a project: what its backbone takes, with the views and the augmentation that its parameters name."""

from pathlib import Path

import pytest
from series_source import write_backbone

from thaw.foundation.errors import BadParameters
from thaw.params.values.kind import kind_of
from thaw.params.values.reading import check_params

pytestmark = pytest.mark.usefixtures("series")


def test_the_backbone_says_it(tmp_path: Path) -> None:
    write_backbone(tmp_path / "series.safetensors")
    params = check_params({"backbone": {"weights": "series.safetensors"}}, "test")
    assert kind_of(params, tmp_path).name == "series"


def test_what_the_kind_has_not_is_refused_before_any_work(tmp_path: Path) -> None:
    write_backbone(tmp_path / "series.safetensors")
    backbone = {"weights": "series.safetensors"}
    flipped = check_params({"backbone": backbone, "finetune": {"augment": "flip"}}, "test")
    with pytest.raises(BadParameters, match=r"finetune\.augment: series cannot be changed by `flip`"):
        kind_of(flipped, tmp_path)
    mirrored = check_params({"backbone": backbone, "extract": {"views": ["hflip"]}}, "test")
    with pytest.raises(BadParameters, match="series have no view `hflip`; there are identity, negated"):
        kind_of(mirrored, tmp_path)
