"""The stage `head`, on real handwriting in a project folder of its own."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from blake3 import blake3
from ruamel.yaml import YAML
from sklearn.datasets import load_digits
from stage_runs import run_stage

from tasks.project.paths import FEATURES, FEATURES_INDEX, HEAD, MANIFEST, STRATEGY
from tasks.stages import head as stage
from thaw.dataset.manifest import Example, build_manifest, read_manifest, write_manifest
from thaw.features.store.store import FeatureIndex, FeatureStore, Layer, hash_digests, read_index, write_index
from thaw.foundation.errors import BadArtifact, BadParameters, IncompleteFeatures
from thaw.heads import read_head
from thaw.heads.open_set import read_openness
from thaw.params.values.strategy import Strategy, write_strategy

LAYER = Layer("fingerprint", "avgpool", 64)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """300 digits in train, 100 in val and 100 in test, their pixels as features."""
    monkeypatch.chdir(tmp_path)
    images = load_digits()
    features = torch.tensor(images.data[:500]).float()
    splits = ["train"] * 300 + ["val"] * 100 + ["test"] * 100
    digests = [blake3(row.numpy().tobytes()).digest() for row in features]
    rows = [
        Example(digest, f"{number:03}.png", str(label), split, group=None, shape=(8, 8, 1), size=99)
        for number, (digest, label, split) in enumerate(zip(digests, images.target, splits, strict=False))
    ]
    write_manifest(build_manifest(rows), MANIFEST)
    order = torch.randperm(500, generator=torch.Generator().manual_seed(0))  # the store keeps no order
    FeatureStore(FEATURES).write(LAYER, [digests[i] for i in order], features[order], {})
    index = FeatureIndex("pixels", "float32", (LAYER,), len(digests), hash_digests(digests))
    write_index(index, FEATURES_INDEX)
    write_params({})
    write_strategy(Strategy("linear", "avgpool"), STRATEGY)
    return tmp_path


def write_params(values: dict[str, object]) -> None:
    YAML().dump(values, Path("params.yaml"))


def accuracy() -> float:
    """Of the written head, on the test images."""
    images = load_digits()
    logits = read_head(HEAD).logits(torch.tensor(images.data[400:500]).float())
    return float((logits.argmax(1) == torch.tensor(images.target[400:500])).float().mean())


def test_it_writes_a_head_that_reads_handwriting_and_what_was_tried(project: Path) -> None:
    run_stage(stage)
    assert accuracy() > 0.75  # other writers than in train
    assert read_head(HEAD).class_names == tuple("0123456789")
    table = pd.read_csv(HEAD / "trials.csv")
    assert len(table) == 6
    assert table["chosen"].sum() == 1


def test_it_trains_on_views_and_judges_on_images_as_they_are(project: Path, caplog: pytest.LogCaptureFixture) -> None:
    index, mirrored = read_index(FEATURES_INDEX), Layer("mirrored", "avgpool", 64, "hflip")
    images, store = load_digits(), FeatureStore(FEATURES)
    features = torch.tensor(images.data[:500]).float()
    digests = [blake3(row.numpy().tobytes()).digest() for row in features]
    store.write(mirrored, digests, features.view(-1, 8, 8).flip(2).flatten(1), {})
    write_index(replace(index, layers=(*index.layers, mirrored)), FEATURES_INDEX)
    run_stage(stage)
    plain = read_head(HEAD)
    write_params({"extract": {"views": ["identity", "hflip"]}, "head": {"views": ["identity", "hflip"]}})
    with caplog.at_level("INFO"):
        run_stage(stage)
    assert "linear head on 300 examples of 10 classes" in caplog.text and "on 100 validation examples" in caplog.text
    both, flipped = read_head(HEAD), features[400:].view(-1, 8, 8).flip(2).flatten(1)
    targets = torch.tensor(images.target[400:500])
    right = [float((head.logits(flipped).argmax(1) == targets).float().mean()) for head in (plain, both)]
    assert right[1] > right[0] + 0.2, "it has learnt the mirror image"


def test_it_says_in_one_line_what_came_out(project: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        run_stage(stage)
    assert "linear head on 300 examples of 10 classes: l2 0.0" in caplog.text
    assert "on 100 validation examples" in caplog.text


def test_the_label_budget_is_kept(project: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_params({"dataset": {"labels_per_class": 3}})
    write_strategy(Strategy("knn", "avgpool"), STRATEGY)
    with caplog.at_level("INFO"):
        run_stage(stage)
    assert "knn head on 30 examples" in caplog.text


def test_running_twice_writes_the_same_bytes(project: Path) -> None:
    names = ("head.json", "head.safetensors", "trials.csv")
    run_stage(stage)
    first = [(HEAD / name).read_bytes() for name in names]
    run_stage(stage)
    assert [(HEAD / name).read_bytes() for name in names] == first


def test_without_validation_images_it_is_cross_validated(project: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_params({"head": {"folds": 3}})
    rows = [row for row in read_manifest(MANIFEST).examples() if row.split != "val"]
    write_manifest(build_manifest(rows), MANIFEST)
    with caplog.at_level("INFO"):
        run_stage(stage)
    assert "on cross-validation" in caplog.text
    assert accuracy() > 0.75  # other writers than in train


def test_a_missing_strategy_says_which_stage_writes_it(project: Path) -> None:
    STRATEGY.unlink()
    with pytest.raises(BadArtifact, match="thaw run --stage advise"):
        run_stage(stage)


def test_missing_features_are_said(project: Path) -> None:
    for part in (FEATURES / "fingerprint" / "avgpool").iterdir():
        part.unlink()
    with pytest.raises(IncompleteFeatures, match="extract"):
        run_stage(stage)


def test_it_writes_what_tells_unknown_digits_only_where_that_is_asked_for(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run_stage(stage)
    plain = {path.name: path.read_bytes() for path in HEAD.iterdir()}
    assert set(plain) == {"head.json", "head.safetensors", "trials.csv"}
    write_params({"openness": {"score": "neighbours"}})
    with caplog.at_level("INFO"):
        run_stage(stage)
    openness = read_openness(HEAD)
    assert openness is not None and openness.tuning.n == openness.tuning.known == 400, "train and validation"
    assert "Distance to the nearest neighbours tells known from unknown: of 400 held-out examples" in caplog.text
    assert all((HEAD / name).read_bytes() == content for name, content in plain.items()), "the head is the same"
    write_params({})
    run_stage(stage)
    assert read_openness(HEAD) is None and {path.name for path in HEAD.iterdir()} == set(plain)


def test_a_background_class_that_no_image_has_is_said(project: Path) -> None:
    write_params({"openness": {"background": "letters"}})
    with pytest.raises(BadParameters, match=r"openness\.background: 'letters' is no label"):
        run_stage(stage)
    assert read_openness(HEAD) is None
