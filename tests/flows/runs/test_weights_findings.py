"""The checks of weights with a provider's name: place, licence and size are said before anything is downloaded."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from documented import DOCS, block_with
from typer.testing import CliRunner

from flows.cli.app import app
from flows.runs.findings import Verdict
from flows.runs.weights_findings import check_weights
from thaw.backbones.architectures import build_seeded
from thaw.backbones.providers.names import provided, provided_in
from thaw.backbones.weights import write_weights
from thaw.params.sections import Params
from thaw.params.values.reading import read_params


def found(root: Path, name: str) -> dict[str, tuple[Verdict, str]]:
    own = provided(name)
    assert own is not None
    params = Params.model_validate({"backbone": {"weights": f"data/weights/{own.file}"}})
    return {each.check: (each.verdict, str(each)) for each in check_weights(root, params)}


@pytest.mark.parametrize(
    ("block", "size", "place"),
    [
        (("backbones.md", "thaw config set backbone.weights=timm"), "87 MB", "https://huggingface.co/timm/vit_small"),
        (("radiology.md", "thaw config set backbone.weights=xrv"), "28 MB", "https://github.com/mlmed/torchxrayvision"),
    ],
)
def test_the_documented_commands_name_place_licence_and_size(
    block: tuple[str, str], size: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, command = block
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("dataset: {source: photos}\n")
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    for line in block_with(DOCS / page, command).splitlines():
        told = CliRunner().invoke(app, shlex.split(line, comments=True)[1:])
        if "config" in line:
            assert told.exit_code == 0, told.output
    file = read_params(tmp_path / "params.yaml").backbone.weights
    assert file.startswith(f"data/weights/{command.rpartition('=')[2]}--") and file.endswith(".safetensors")
    weights, licence = check_weights(tmp_path, Params.model_validate({"backbone": {"weights": file}}))
    assert size in weights.says and place in weights.advice
    assert (licence.verdict, licence.check) == (Verdict.PASS, "licence")
    assert "apache-2.0" in licence.says


def test_the_documented_prompts_are_taken_as_they_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("dataset: {source: photos}\n")
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    for line in block_with(DOCS / "backbones.md", "thaw config set backbone.weights=hf").splitlines():
        if "config" in line:
            told = CliRunner().invoke(app, shlex.split(line)[1:])
            assert told.exit_code == 0, told.output
    params = read_params(tmp_path / "params.yaml")
    assert params.backbone.weights == "data/weights/hf--openai--clip-vit-base-patch32.safetensors"
    assert params.strategy.prompts == ("a photo of a {label}.", "a drawing of a {label}.")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("timm/vit_base_patch16_224.mae", "forbids commercial use"),
        ("timm/vit_small_patch16_dinov3.lvd1689m", "its own terms"),
        ("hf/org/net", "no licence is stated"),
    ],
)
def test_licences_that_are_not_free_are_warned_of(tmp_path: Path, name: str, said: str) -> None:
    verdict, sentence = found(tmp_path, name)["licence"]
    assert verdict == Verdict.WARN
    assert said in sentence


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("timm/resnet81", "timm/resnet18"),
        ("timm/resnet18.no_tag", "timm/resnet18.a1_in1k"),
        ("xrv/densenet121", "xrv/densenet121-res224-all"),
        ("hf/dinov2", "neither a folder with a config.json nor ORG/NAME"),
    ],
)
def test_unknown_names_fail(tmp_path: Path, name: str, said: str) -> None:
    verdict, sentence = found(tmp_path, name)["weights"]
    assert verdict == Verdict.FAIL
    assert said in sentence


def test_random_weights_are_drawn(tmp_path: Path) -> None:
    assert found(tmp_path, "timm/test_vit.random") == {
        "weights": (Verdict.PASS, "weights: data/weights/timm--test_vit.random.safetensors is drawn by the first run")
    }


@pytest.mark.parametrize(
    "name",
    ["timm/resnet50.a1_in1k", "timm/vit_small@518", "hf/facebook/dinov2-small", "hf/folder", "xrv/resnet50-res512-all"],
)
def test_files_and_names_are_each_others_inverse(name: str) -> None:
    own = provided(name)
    assert own is not None
    assert provided_in(own.file) == own
    assert str(own) == name


def test_zero_shot_without_a_text_tower_fails_before_any_compute(tmp_path: Path) -> None:
    write_weights(tmp_path / "own.safetensors", build_seeded("thaw_small", 10, 0).state_dict(), {})
    for kind, failed in (("linear", []), ("zero_shot", ["strategy.kind"])):
        params = Params.model_validate({"backbone": {"weights": "own.safetensors"}, "strategy": {"kind": kind}})
        assert [each.check for each in check_weights(tmp_path, params) if each.verdict == Verdict.FAIL] == failed
