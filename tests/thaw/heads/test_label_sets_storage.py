"""Heads for label sets on disk, and the whole model with one."""

from pathlib import Path

import pytest
import torch
from digit_images import embedded
from digit_pairs import pair_features

from thaw.foundation.errors import BadArtifact
from thaw.heads import fit_head, read_head, write_head
from thaw.heads.label_sets_fitted import LabelSetHead
from thaw.heads.label_sets_fitting import fit_label_set_head
from thaw.heads.label_sets_storage import holds_label_set_head, read_label_set_head, write_label_set_head
from thaw.models.label_sets_predictor import LabelSetPredictor, read_any_predictor
from thaw.models.predictor import Predictor
from thaw.params.sections import HeadParams
from thaw.targets.labelled import LabelledFeatures

PARAMS = HeadParams(l2=(0.1, 0.01), folds=2)


@pytest.fixture(scope="module")
def head() -> LabelSetHead:
    return fit_label_set_head(pair_features(80), None, PARAMS)


def test_a_head_comes_back_bit_for_bit(head: LabelSetHead, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_label_set_head(head, tmp_path / name)
    found = read_label_set_head(tmp_path / "one")
    features = pair_features(20, seed=1).features
    assert torch.equal(found.probabilities(features), head.probabilities(features))
    assert (found.thresholds, found.trials, found.class_names) == (head.thresholds, head.trials, head.class_names)
    for file in ("head.json", "head.safetensors"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_heads_of_the_two_kinds_are_not_taken_for_each_other(head: LabelSetHead, tmp_path: Path) -> None:
    write_label_set_head(head, tmp_path / "sets")
    rows = LabelledFeatures(torch.randn(8, 4), torch.arange(8) % 2, ("ant", "bee"))
    write_head(fit_head(rows, None, PARAMS), tmp_path / "single")
    assert holds_label_set_head(tmp_path / "sets")
    assert not holds_label_set_head(tmp_path / "single")
    assert not holds_label_set_head(tmp_path / "none")
    with pytest.raises(BadArtifact, match="thaw run --stage head"):
        read_label_set_head(tmp_path / "single")
    with pytest.raises(BadArtifact, match="thaw run --stage head"):
        read_head(tmp_path / "sets")


def test_torn_files_are_refused(head: LabelSetHead, tmp_path: Path) -> None:
    write_label_set_head(head, tmp_path)
    content = (tmp_path / "head.safetensors").read_bytes()
    (tmp_path / "head.safetensors").write_bytes(content[:-1])
    with pytest.raises(BadArtifact, match="not the file"):
        read_label_set_head(tmp_path)
    (tmp_path / "head.safetensors").unlink()
    with pytest.raises(BadArtifact, match="thaw run --stage head"):
        read_label_set_head(tmp_path)


def test_the_whole_model_says_the_same_after_reading(head: LabelSetHead, tmp_path: Path) -> None:
    backbone = embedded()
    model = LabelSetPredictor(backbone, head, backbone.layers[-1])
    model.write(tmp_path)
    found = read_any_predictor(tmp_path)
    assert isinstance(found, LabelSetPredictor)
    pixels = list(torch.randint(0, 255, (3, 3, 32, 32), dtype=torch.uint8))
    answer, same = model.predict(pixels), found.predict(pixels)
    assert (answer.probabilities == same.probabilities).all()
    assert answer.labels == [[head.class_names[place] for place in row.nonzero()[0]] for row in answer.named]
    assert found.predict([]).labels == []
    rows = LabelledFeatures(torch.randn(8, head.model.weights.shape[1]), torch.arange(8) % 2, ("ant", "bee"))
    Predictor(backbone, fit_head(rows, None, PARAMS), backbone.layers[-1]).write(tmp_path / "single")
    assert isinstance(read_any_predictor(tmp_path / "single"), Predictor)
