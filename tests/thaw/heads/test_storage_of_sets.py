"""Heads for label sets on disk, and the whole model with one."""

import json
from pathlib import Path

import pytest
import torch
from digit_images import embedded
from digit_pairs import pair_features

from thaw.foundation.errors import BadArtifact
from thaw.heads import FittedHead, fit_head, read_head, write_head
from thaw.models.prediction.predictor import Predictor
from thaw.params.sections import HeadParams
from thaw.params.values.strategy import HeadKind
from thaw.targets.label_sets.target import LABEL_SETS
from thaw.targets.labelled import LabelledFeatures
from thaw.targets.one_label.target import ONE_LABEL

PARAMS = HeadParams(l2=(0.1, 0.01), folds=2)


@pytest.fixture(scope="module")
def head() -> FittedHead:
    return fit_head(pair_features(80), None, PARAMS)


def test_a_head_comes_back_bit_for_bit(head: FittedHead, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_head(head, tmp_path / name)
    found = read_head(tmp_path / "one")
    features = pair_features(20, seed=1).features
    assert torch.equal(found.probabilities(features), head.probabilities(features))
    assert (found.thresholds, found.trials, found.class_names) == (head.thresholds, head.trials, head.class_names)
    for file in ("head.json", "head.safetensors"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_the_card_says_what_the_head_decides(head: FittedHead, tmp_path: Path) -> None:
    write_head(head, tmp_path / "sets")
    rows = LabelledFeatures(torch.randn(8, 4), torch.arange(8) % 2, ("ant", "bee"))
    write_head(fit_head(rows, None, PARAMS), tmp_path / "single")
    assert (read_head(tmp_path / "sets").target, read_head(tmp_path / "single").target) == (LABEL_SETS, ONE_LABEL)
    card = json.loads((tmp_path / "sets/head.json").read_text())
    for change in ({"target": "one_label"}, {"thresholds": None}, {"thresholds": [0.5]}, {"target": "trigger"}):
        (tmp_path / "sets/head.json").write_text(json.dumps({**card, **change}))
        with pytest.raises(BadArtifact, match="thaw run --stage head"):
            read_head(tmp_path / "sets")


@pytest.mark.parametrize("kind", ["mlp", "knn"])
def test_other_kinds_of_head_come_back_too(kind: HeadKind, tmp_path: Path) -> None:
    params = PARAMS.model_copy(update={"epochs": 3, "hidden": (8,), "neighbours": (3,)})
    head = fit_head(pair_features(80), None, params, kind)
    write_head(head, tmp_path)
    features = pair_features(20, seed=1).features
    assert torch.equal(read_head(tmp_path).probabilities(features), head.probabilities(features))


def test_torn_files_are_refused(head: FittedHead, tmp_path: Path) -> None:
    write_head(head, tmp_path)
    content = (tmp_path / "head.safetensors").read_bytes()
    (tmp_path / "head.safetensors").write_bytes(content[:-1])
    with pytest.raises(BadArtifact, match="not the file"):
        read_head(tmp_path)
    (tmp_path / "head.safetensors").unlink()
    with pytest.raises(BadArtifact, match="thaw run --stage head"):
        read_head(tmp_path)


def test_the_whole_model_says_the_same_after_reading(head: FittedHead, tmp_path: Path) -> None:
    backbone = embedded()
    model = Predictor(backbone, head, backbone.layers[-1])
    model.write(tmp_path)
    found = Predictor.read(tmp_path)
    pixels = list(torch.randint(0, 255, (3, 3, 32, 32), dtype=torch.uint8))
    answer, same = model.predict(pixels), found.predict(pixels)
    assert (answer.probabilities == same.probabilities).all()
    assert answer.labels == [[head.class_names[place] for place in row.nonzero()[0]] for row in answer.named]
    assert found.predict([]).labels == []
