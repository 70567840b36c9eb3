"""Checkpoints as programs write them: wrappers, hyperparameters, whole models; and nothing in them runs."""

import argparse
import collections
import functools
import os
import pathlib
import sys
import types
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from thaw.backbones.checkpoints import UnsafeCheckpoint, read_checkpoint
from thaw.backbones.weights import read_weights
from thaw.foundation.errors import BadWeights

PLAIN = {"fc.weight": torch.arange(6.0).view(2, 3), "fc.bias": torch.ones(2)}
OTHER = {name: value + 1 for name, value in PLAIN.items()}
OPTIMIZER = {"state": {0: {"exp_avg": torch.ones(3)}}, "param_groups": [{"lr": 0.1}]}


def lightning() -> dict[str, object]:
    """A checkpoint of Lightning, whose hyperparameters are of a class that is not installed here."""
    modules = {name: types.ModuleType(name) for name in ("lost_package", "lost_package.parsing")}

    class AttributeDict(dict[str, object]):
        pass

    AttributeDict.__module__, AttributeDict.__qualname__ = "lost_package.parsing", "AttributeDict"
    modules["lost_package.parsing"].AttributeDict = AttributeDict  # type: ignore[attr-defined]
    sys.modules.update(modules)
    settings = AttributeDict(
        lr=0.1, where=pathlib.PurePosixPath("/data"), groups=collections.defaultdict(list, {"a": [1]})
    )
    return {
        "epoch": 3, "global_step": 70, "pytorch-lightning_version": "2.4.0", "state_dict": PLAIN, "loops": {"fit": {}},
        "callbacks": {"ModelCheckpoint": {"best_model_score": torch.tensor(0.5)}}, "optimizer_states": [OPTIMIZER],
        "hparams_name": "kwargs", "hyper_parameters": settings, "score": np.float64(3), "means": np.ones(3),
        "activation": functools.partial(nn.functional.relu, inplace=True),
    }  # fmt: skip


CHECKPOINTS: dict[str, Callable[[], object]] = {
    "plain": lambda: PLAIN,
    "state_dict": lambda: {"state_dict": PLAIN, "optimizer": OPTIMIZER},
    "model": lambda: {"model": PLAIN, "optimizer": OPTIMIZER, "args": argparse.Namespace(lr=0.1)},
    "torchvision's scripts": lambda: {"model": PLAIN, "model_ema": OTHER, "args": argparse.Namespace(lr=0.1), "epoch": 1},
    "model_ema alone": lambda: {"model_ema": PLAIN, "epoch": 1},
    "net": lambda: {"net": PLAIN, "acc": 0.9, "epoch": 3},
    "a wrapper of any name": lambda: {"my_best_network": PLAIN, "optim_state": OPTIMIZER},
    "wrappers in wrappers": lambda: {"checkpoint": {"model": {"state_dict": PLAIN}}},
    "beside tensors": lambda: {"state_dict": PLAIN, "mean": torch.ones(3)},
    "lightning": lightning,
}  # fmt: skip


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "old format"])
@pytest.mark.parametrize("name", CHECKPOINTS)
def test_the_tensors_are_found_in_whatever_holds_them(name: str, *, zipped: bool, tmp_path: Path) -> None:
    torch.save(CHECKPOINTS[name](), tmp_path / "x.ckpt", _use_new_zipfile_serialization=zipped)
    for module in [module for module in sys.modules if module.startswith("lost_package")]:
        del sys.modules[module]
    found = read_checkpoint(tmp_path / "x.ckpt").tensors
    assert found.keys() == PLAIN.keys() and all(torch.equal(found[key], PLAIN[key]) for key in PLAIN)
    assert "lost_package" not in sys.modules


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "old format, with the text of its source"])
def test_a_whole_model_gives_its_tensors(*, zipped: bool, tmp_path: Path) -> None:
    network = Net()
    torch.save(network, tmp_path / "x.pt", _use_new_zipfile_serialization=zipped)
    found = read_checkpoint(tmp_path / "x.pt").tensors
    assert found.keys() == network.state_dict().keys()
    assert all(torch.equal(found[key], tensor) for key, tensor in network.state_dict().items())


def test_of_two_models_the_one_left_out_is_named(tmp_path: Path) -> None:
    torch.save(CHECKPOINTS["torchvision's scripts"](), tmp_path / "x.pth")
    assert read_checkpoint(tmp_path / "x.pth").notes == ("`model` is used; `model_ema` beside it is not",)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3, 2)
        self.register_buffer("steps", torch.tensor(7))
        self.register_buffer("passing", torch.tensor(7), persistent=False)


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_whole_model_gives_the_tensors_of_its_state_dict_without_its_class(tmp_path: Path, *, wrapped: bool) -> None:
    net = Net()
    torch.save({"model": net, "epoch": 3} if wrapped else net, tmp_path / "x.pt")
    found, own = read_checkpoint(tmp_path / "x.pt").tensors, net.state_dict()
    assert found.keys() == own.keys() and all(torch.equal(found[key], own[key]) for key in own)


class Runs:
    def __init__(self, called: Callable[..., object], *given: object) -> None:
        self.called, self.given = called, given

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self.called, self.given


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "old format"])
@pytest.mark.parametrize("payload", [Runs(os.mkdir, "ran"), Runs(eval, "1"), Runs(exec, "1"), Runs(getattr, "a", "b")])
def test_what_could_run_code_is_refused(payload: Runs, *, zipped: bool, tmp_path: Path) -> None:
    torch.save({"w": torch.ones(1), "x": payload}, tmp_path / "x.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(UnsafeCheckpoint, match="can run code"):
        read_checkpoint(tmp_path / "x.pth")


def write_text(path: Path) -> Path:
    """A function that a checkpoint may name, and that would be seen to run."""
    path.write_text("ran")
    return path


def test_any_other_function_is_replaced_and_not_called(tmp_path: Path) -> None:
    torch.save({"w": torch.ones(1), "x": Runs(write_text, tmp_path / "ran")}, tmp_path / "x.pth")
    (tmp_path / "ran").unlink(missing_ok=True)
    assert set(read_checkpoint(tmp_path / "x.pth").tensors) == {"w"}
    assert not (tmp_path / "ran").exists()


class Traced(nn.Module):
    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return values + 1


def unrelated_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("weights/resnet.pth", b"")


UNREADABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "TorchScript": (lambda path: torch.jit.save(torch.jit.script(Traced()), str(path)), "TorchScript program"),
    "a ZIP archive": (unrelated_zip, "ZIP archive of other files"),
    "a list": (lambda path: torch.save([torch.ones(1)], path), "holds no dictionary of tensors"),
    "a settings object": (lambda path: torch.save(pathlib.PurePosixPath("x"), path), "object of the class pathlib.PurePosixPath"),
    "no tensors": (lambda path: torch.save({"epoch": 3}, path), "holds no tensors"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNREADABLE)
def test_the_reason_is_told_in_one_line_without_pytorchs_advice(name: str, tmp_path: Path) -> None:
    write, reason = UNREADABLE[name]
    write(tmp_path / "x.pth")
    with pytest.raises(BadWeights, match=reason) as caught:
        read_weights(tmp_path / "x.pth")
    said = str(caught.value)
    assert "weights_only" not in said and "\033" not in said and "\n" not in said
