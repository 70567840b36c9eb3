"""Which parameters a stage depends on, and what has changed since it ran."""

from pathlib import Path

import pytest

from flows.dvc.stage_parameters import changed_keys, ran, read_stage_keys, stages_of
from flows.project.errors import DvcFailed
from thaw.params.values.reading import check_params

LOCK = """\
stages:
  settings: {cmd: x, params: {params.yaml: {head: {folds: 9}}}}
  advise: {cmd: x, params: {data/params.yaml: {strategy.kind: auto, head: {folds: 5, l2: [1, 10]}}}}
  watch: {cmd: x}
"""
VALUES = {"strategy": {"kind": "auto"}, "head": {"folds": 5, "l2": [1, 10]}}


def test_the_projects_own_stages_and_a_key_that_lies_in_a_section() -> None:
    keys = read_stage_keys(Path.cwd())
    assert keys["settings"] == ()
    assert stages_of(keys, "head.folds") == ("advise", "head", "finetune", "compare", "evaluate")
    assert stages_of(keys, "statistics.confidence") == ("head", "finetune", "compare", "evaluate")
    assert stages_of(keys, "statistics.bootstrap") == ("compare", "evaluate")
    assert stages_of(keys, "promotion.margin") == ()


def test_single_values_are_compared_with_those_of_the_last_run(tmp_path: Path) -> None:
    (tmp_path / "dvc.lock").write_text(LOCK)
    assert changed_keys(tmp_path, check_params(VALUES, "x")) == {"settings": (), "advise": (), "watch": ()}
    changed = check_params({"strategy": {"kind": "cut"}, "head": {"folds": 6, "l2": [1, 10]}}, "x")
    assert changed_keys(tmp_path, changed)["advise"] == ("strategy.kind", "head.folds")
    (tmp_path / "dvc.lock").write_text(LOCK.replace("folds: 5", "gone: 1"))
    assert changed_keys(tmp_path, check_params(VALUES, "x"))["advise"] == ("head.gone",)


def test_without_a_lock_nothing_ran_and_nothing_has_changed(tmp_path: Path) -> None:
    assert ran(tmp_path) == frozenset() and changed_keys(tmp_path, check_params({}, "x")) == {}
    (tmp_path / "dvc.lock").write_text(LOCK)
    assert ran(tmp_path) == {"settings", "advise", "watch"}


def test_a_damaged_lock_is_one_sentence(tmp_path: Path) -> None:
    for text in ("stages: [", "- a\n- b\n"):
        (tmp_path / "dvc.lock").write_text(text)
        with pytest.raises(DvcFailed, match=r"dvc\.lock cannot be read"):
            ran(tmp_path)
