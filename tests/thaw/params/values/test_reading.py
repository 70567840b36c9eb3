"""Parameters are refused whole, with the key, what was given and what is allowed."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from thaw.foundation.errors import BadParameters
from thaw.params.sections import OpennessParams, Params
from thaw.params.values.reading import MOVED, check_params, leaves, read_params, read_settings, write_settings


def test_the_projects_own_file_is_valid() -> None:
    assert read_params(Path("params.yaml")).dataset.labels_per_class == 5


def test_all_that_is_wrong_is_said_at_once() -> None:
    values = {"dataset": {"sorce": "x"}, "strategy": {"kind": "tree"}, "head": {"l2": [-1]}, "hed": {}}
    with pytest.raises(BadParameters) as caught:
        check_params(values, "params.yaml")
    text = str(caught.value)
    assert "dataset.sorce: no such key; dataset has source, kind, listing" in text
    assert "strategy.kind: 'tree' given; input should be 'auto', 'linear', 'mlp'" in text
    assert "head.l2.0: -1 given" in text
    assert "hed: no such key; there are dataset, backbone" in text


@pytest.mark.parametrize(("key", "now"), MOVED.items())
def test_a_key_of_before_says_where_it_has_gone(key: str, now: str) -> None:
    section, name = key.split(".")
    with pytest.raises(BadParameters, match=rf"{re.escape(key)}: this is {re.escape(now)} now; move it there"):
        check_params({section: {name: 1}}, "params.yaml")
    assert now in dict(leaves(Params)) and key not in dict(leaves(Params))


@pytest.mark.parametrize("shares", [{"val": 0.5, "test": 0.5}, {"val": -0.1, "test": 0.2}, {"val": 0.2, "test": 1.0}])
def test_splits_must_leave_something_to_train_on(shares: dict[str, float]) -> None:
    with pytest.raises(BadParameters, match=r"dataset\.splits"):
        check_params({"dataset": {"splits": shares}}, "params.yaml")


def test_a_file_that_is_missing_or_no_yaml_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(BadParameters, match="project's folder"):
        read_params(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("a: [1,\nb")
    with pytest.raises(BadParameters, match="not valid YAML"):
        read_params(tmp_path / "params.yaml")


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("")
    assert read_params(tmp_path / "params.yaml") == Params()


def test_parameters_are_frozen_and_every_one_is_described() -> None:
    with pytest.raises(ValidationError):
        Params().strategy.kind = "knn"  # type: ignore[misc]
    undescribed = [name for name, field in leaves(Params) if not field.description]
    assert not undescribed


@pytest.mark.parametrize("path", sorted(Path("examples").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_example_files_are_valid(path: Path) -> None:
    read_params(path)


def test_a_head_trains_only_on_views_that_are_cached() -> None:
    with pytest.raises(BadParameters, match=r"head\.views needs hflip, and extract\.views lacks it"):
        check_params({"head": {"views": ["identity", "hflip"]}}, "params.yaml")
    check_params({"head": {"views": ["hflip"]}, "extract": {"views": ["five_crop", "hflip"]}}, "params.yaml")


def test_a_background_label_may_be_a_number_and_excludes_a_score() -> None:
    assert OpennessParams.model_validate({"background": 9}).background == "9"
    assert OpennessParams.model_validate({"background": None}).background is None
    with pytest.raises(ValidationError, match="valid string"):
        OpennessParams.model_validate({"background": 9.5})
    with pytest.raises(ValidationError, match="exclude each other"):
        OpennessParams.model_validate({"score": "energy", "background": "9"})


def test_settings_hold_every_value_and_come_back_the_same(tmp_path: Path) -> None:
    path = tmp_path / "data/params.yaml"
    for values in ({}, {"head": {"l2": [1e-5, 1]}, "openness": {"background": 9}, "dataset": {"listing": "a: #b"}}):
        params = check_params(values, "params.yaml")
        write_settings(params, path)
        written = path.read_bytes()
        assert read_settings(path) == params
        write_settings(read_settings(path), path)
        assert path.read_bytes() == written


def test_settings_that_lack_a_value_take_no_default(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    with pytest.raises(BadParameters, match="thaw run --stage settings"):
        read_settings(path)
    write_settings(Params(), path)
    path.write_text(path.read_text().replace("  folds: 5\n", ""))
    with pytest.raises(BadParameters, match=r"lacks head\.folds; run `thaw run --stage settings`"):
        read_settings(path)


def test_a_home_folder_that_dvc_would_not_find_is_refused() -> None:
    values = {"dataset": {"source": "~/photos"}, "backbone": {"weights": "~ada/w.pth"}}
    with pytest.raises(BadParameters) as caught:
        check_params(values, "params.yaml")
    assert (
        "dataset.source: '~/photos' given; write the whole path, as `thaw config set dataset.source=~/photos` does"
        in str(caught.value)
    )
    assert "backbone.weights: '~ada/w.pth' given" in str(caught.value)
