"""`thaw config set`: the whole is checked before anything is made, and what is not named stays as it was."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from flows.project.edit_params import edit
from thaw.foundation.errors import BadParameters
from thaw.params.sections import Params

TEXT = Path("params.yaml").read_text()


def test_one_value_changes_one_line() -> None:
    after = edit(TEXT, ["strategy.kind=mlp"]).splitlines()
    changed = [(old, new) for old, new in zip(TEXT.splitlines(), after, strict=True) if old != new]
    comment = (
        "# what the advice finds best; or linear, mlp, knn, cut, zero_shot, last_blocks, lora, full, scratch, plain"
    )
    assert changed == [(f"  kind: auto                      {comment}", changed[0][1])]
    assert changed[0][1].startswith("  kind: mlp ") and changed[0][1].endswith(comment)


def test_setting_what_already_stands_changes_nothing() -> None:
    assert edit(TEXT, ["strategy.kind=auto", "dataset.labels_per_class=5"]) == TEXT


@given(st.integers(1, 10**6), st.floats(1e-6, 1e6), st.booleans())
def test_what_is_set_is_what_is_read(labels: int, l2: float, automatic: bool) -> None:
    text = edit(TEXT, [f"dataset.labels_per_class={labels}", f"head.l2=[{l2!r}]", f"promotion.automatic={automatic}"])
    params = Params.model_validate(YAML(typ="safe").load(text))
    assert params.dataset.labels_per_class == labels
    assert params.head.l2 == (l2,)
    assert params.promotion.automatic is automatic


@pytest.mark.parametrize(
    ("assignment", "says"),
    [
        ("strategy.kind", "is not KEY=VALUE"),
        ("=3", "is not KEY=VALUE"),
        ("head.l2=[1, ", "is not a YAML value"),
        ("strategy.kind.deeper=1", "holds a value, not a section"),
        ("stategy.kind=mlp", "stategy"),
        ("head.epochs=-1", "head.epochs"),
        ("dataset.splits.test=0.9", "val"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_made(assignment: str, says: str) -> None:
    given = [assignment, "dataset.splits.val=0.5"] if "splits" in assignment else [assignment]
    with pytest.raises(BadParameters, match=says):
        edit(TEXT, given)


def test_an_empty_file_and_a_foreign_one() -> None:
    assert YAML(typ="safe").load(edit("", ["dataset.source=photos", "backbone.weights=w.pth"]))["dataset"] == {
        "source": "photos"
    }
    with pytest.raises(BadParameters, match="holds no keys"):
        edit("- a\n- b\n", ["head=1"])
    with pytest.raises(BadParameters, match="not valid YAML"):
        edit("a: [", ["strategy.kind=mlp"])


def test_the_home_folder_is_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    document = YAML(typ="safe").load(edit(TEXT, ["dataset.source=~/photos", "backbone.weights=~/w.pth"]))
    assert (document["dataset"]["source"], document["backbone"]["weights"]) == ("/home/ada/photos", "/home/ada/w.pth")


@pytest.mark.parametrize(
    ("assignment", "value"),
    [
        ("dataset.source=sms_spam", "data/sources/sms_spam/sms_spam.csv"),
        ("dataset.source=digits", "data/sources/digits"),
        ("backbone.weights=glove.6B.50d", "data/weights/glove.6B.50d.safetensors"),
        ("backbone.weights=BAAI/bge-small-en-v1.5", "data/weights/BAAI--bge-small-en-v1.5.safetensors"),
        ("backbone.weights=models/own.safetensors", "models/own.safetensors"),
        ("backbone.weights=resnet18.random", "data/weights/resnet18.random.pth"),
    ],
)
def test_names_stand_for_places(assignment: str, value: str) -> None:
    key = assignment.partition("=")[0].rpartition(".")[2]
    assert f"{key}: {value}" in edit("", [assignment])
