"""Weights that load and are of no use are refused where they are read."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from thaw.backbones.architectures import build_seeded
from thaw.backbones.backbone import read_backbone
from thaw.foundation.errors import BadWeights
from thaw.params.sections import BackboneParams

SMALL = build_seeded("thaw_small", 10, 0).state_dict()


def written(folder: Path, tensors: dict[str, Tensor], **params: object) -> BackboneParams:
    torch.save(tensors, folder / "w.pth")
    return BackboneParams.model_validate({"weights": str(folder / "w.pth"), **params})


def changed(name: str, change: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
    return {key: change(value) if key == name or not name else value for key, value in SMALL.items()}


def all_nan(tensor: Tensor) -> Tensor:
    return tensor * float("nan") if tensor.is_floating_point() else tensor


def one_infinite(tensor: Tensor) -> Tensor:
    return tensor.index_put((torch.tensor(0),), torch.tensor(float("inf")))


@pytest.mark.parametrize(
    ("tensors", "reason"),
    [
        (changed("", all_nan), r"`conv1\.weight` holds NaN or infinite numbers \(all 1,728\)"),
        (changed("bn1.running_var", all_nan), r"`bn1\.running_var` holds NaN"),
        (changed("layer1.0.bn1.weight", one_infinite), r"`layer1\.0\.bn1\.weight` .*\(1 of 64\)"),
        (changed("", torch.zeros_like), "nothing but zeros"),
    ],
)
def test_numbers_that_are_none_are_refused(tensors: dict[str, Tensor], reason: str, tmp_path: Path) -> None:
    with pytest.raises(BadWeights, match=reason):
        read_backbone(written(tmp_path, tensors))


def test_what_no_layer_needs_may_be_anything(tmp_path: Path) -> None:
    assert read_backbone(written(tmp_path, changed("fc.weight", all_nan))).layers == ("flatten",)


def test_layers_that_need_a_missing_head_are_refused_with_those_that_do_not(tmp_path: Path) -> None:
    whole = build_seeded("mobilenet_v3_small", 10, 0).state_dict()
    body = {name: tensor for name, tensor in whole.items() if name.startswith("features.")}
    with pytest.raises(BadWeights, match=r"no `classifier\.0\.bias`, which .*set backbone\.layers=\[flatten\]"):
        read_backbone(written(tmp_path, body))
    assert read_backbone(written(tmp_path, body, layers=["flatten"])).architecture == "mobilenet_v3_small"


def test_a_prefixed_file_has_the_fingerprint_of_the_plain_one(tmp_path: Path) -> None:
    plain = read_backbone(written(tmp_path, SMALL))
    lightning = read_backbone(written(tmp_path, {f"model.net.{name}": value for name, value in SMALL.items()}))
    assert lightning.fingerprint("float32", "float32") == plain.fingerprint("float32", "float32")
    assert plain.notes == () and lightning.notes == ("the names begin with `model.net.`, which was taken off",)
