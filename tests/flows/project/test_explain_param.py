"""What there is to know of a parameter."""

import shutil
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from flows.dvc.stage_graph import read_stages
from flows.project.explain_param import explain, line_of, unknown
from thaw.foundation.errors import BadParameters

TEXT = """\
# The first line
dataset: {source: photos, splits: {val: 0.1}}
backbone:
  weights: w.pth

head:
  folds: 3
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("dvc.yaml", ".dvcignore"):
        shutil.copy(name, tmp_path / name)
    (tmp_path / ".dvc").mkdir()
    shutil.copy(".dvc/config", tmp_path / ".dvc/config")
    (tmp_path / "params.yaml").write_text(TEXT)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    return tmp_path


def test_a_value_that_is_set_has_its_line_and_its_stages(project: Path) -> None:
    (folds,) = explain(project, "head.folds")
    assert (folds.setting.value, folds.setting.default, folds.line) == (3, 5, 7)
    assert folds.stages == ("advise", "head", "finetune", "compare", "evaluate")
    assert folds.then == ("track",), "it reads what they write"


def test_a_default_has_no_line_and_what_commands_read_has_no_stages(project: Path) -> None:
    (margin,) = explain(project, "promotion.margin")
    assert (margin.line, margin.stages, margin.then, margin.setting.changed) == (None, (), (), False)
    (source,) = explain(project, "dataset.source")
    assert source.stages[0] == "fetch" and {*source.stages, *source.then} == {
        stage.name for stage in read_stages(project)[2:]
    }


def test_a_section_is_each_of_its_parameters(project: Path) -> None:
    assert [each.setting.key for each in explain(project, "dataset.splits")] == [
        "dataset.splits.val",
        "dataset.splits.test",
        "dataset.splits.order",
    ]


def test_a_key_that_does_not_exist_is_refused_with_those_of_a_similar_name(project: Path) -> None:
    with pytest.raises(BadParameters, match=r"head\.fold: no such key; did you mean head\.folds"):
        explain(project, "head.fold")
    assert unknown("promotion.bootstrap") == "promotion.bootstrap: this is statistics.bootstrap now"
    assert "`thaw config show --all` lists all keys" in unknown("zzz")


def test_lines_are_found_in_blocks_and_in_braces() -> None:
    document = YAML().load(TEXT)
    lines = [
        line_of(document, key) for key in ("dataset.source", "dataset.splits.val", "backbone.weights", "head.l2", "x.y")
    ]
    assert lines == [2, 2, 4, None, None]
