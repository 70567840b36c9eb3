"""The stage `fetch` brings what the parameters name, and only that."""

from pathlib import Path

import pytest
import torch
from stage_runs import run_stage

from tasks.stages import fetch as stage
from thaw.foundation.errors import BadSource, BadWeights


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fetch(project: Path, *, source: str, weights: str) -> set[str]:
    """Run the stage; what lies in the two folders after it."""
    (project / "params.yaml").write_text(f"dataset: {{source: {source}}}\nbackbone: {{weights: {weights}}}\n")
    run_stage(stage)
    assert (project / "data" / "sources").is_dir()
    assert (project / "data" / "weights").is_dir()
    return {path.relative_to(project / "data").as_posix() for path in (project / "data").glob("*/*")}


def test_what_lies_elsewhere_is_none_of_its_business(project: Path) -> None:
    assert fetch(project, source="my/pictures", weights="data/pretrain/small.safetensors") == set()
    assert fetch(project, source="/elsewhere/pictures", weights="data/weights-of-mine/x.pth") == set()
    assert fetch(project, source="data/sources/../mine", weights="x.pth") == set()


def test_it_brings_what_is_named_below_its_folders(project: Path) -> None:
    found = fetch(project, source="data/sources/digits", weights=f"{project}/data/weights/thaw_small.random.pth")
    assert found == {"sources/digits", "weights/thaw_small.random.pth"}
    assert len(list((project / "data" / "sources" / "digits").glob("*/*.png"))) == 1797
    torch.load("data/weights/thaw_small.random.pth", weights_only=True)


def test_what_is_here_stays_as_it_is(project: Path) -> None:
    for path in ("data/sources/mine/a/1.png", "data/weights/mine.pth"):
        (project / path).parent.mkdir(parents=True)
        (project / path).write_bytes(b"mine")
    assert fetch(project, source="./data/sources/mine/a", weights="data/weights/mine.pth") == {
        "sources/mine",
        "weights/mine.pth",
    }
    assert (project / "data" / "weights" / "mine.pth").read_bytes() == b"mine"


def test_unknown_names_are_refused(project: Path) -> None:
    with pytest.raises(BadSource, match="the built-in sets are digits, hymenoptera"):
        fetch(project, source="data/sources/digit", weights="x.pth")
    with pytest.raises(BadWeights, match="similar names: resnet18"):
        fetch(project, source="x", weights="data/weights/resnet18x.random.pth")
