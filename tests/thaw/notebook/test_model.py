"""A fitted model: its answers, its measurement on other data, its files."""

from pathlib import Path

import numpy as np
import pytest
from notebook_models import Fitted
from PIL import Image
from tiny_sources import write_digits

import thaw
from thaw.foundation.errors import BadArtifact, BadManifest, BadParameters, BadSource
from thaw.kinds.kind import Limits


def test_its_answers_are_those_of_the_predictor(fitted: Fitted) -> None:
    model, files = fitted.model, sorted(fitted.source.rglob("0*.png"))[:9]
    table = model.predict(files)
    prepared = [model.predictor.prepare(file.read_bytes(), Limits()) for file in files]
    own = model.predictor.predict(prepared)
    assert table["label"].tolist() == own.labels and list(table["example"]) == [str(file) for file in files]
    probabilities = table[[f"p_{name}" for name in model.class_names]].to_numpy()
    assert np.allclose(probabilities, own.probabilities, atol=1e-4)


def test_paths_folders_bytes_and_arrays_are_examples_and_bad_ones_are_rows(fitted: Fitted) -> None:
    file = fitted.source / "2/03.png"
    given = [file, str(file), file.read_bytes(), np.asarray(Image.open(file)), Image.open(file), "nowhere.png", b"no"]
    table = fitted.model.predict(given)
    usable = table["reason"] == ""
    assert usable.tolist() == [True] * 5 + [False] * 2 and table["label"][usable].nunique() == 1
    assert table["reason"][5] == "does not exist" and table["reason"][6]
    whole = fitted.model.predict(fitted.source / "2")
    assert len(whole) == 16 and len(fitted.model.predict(str(fitted.source / "2/0*.png"))) == 10
    with pytest.raises(BadSource, match="does not exist"):
        fitted.model.predict("nowhere.png")


def test_another_source_is_measured_without_what_was_learnt(fitted: Fitted, tmp_path: Path) -> None:
    report = fitted.model.evaluate(write_digits(tmp_path / "more", count=30))
    learnt = int((fitted.model.data["split"] != "test").sum()) - 1  # one of them is a copy
    split = fitted.model.data.set_index("path")["split"]
    learnt += split["0/copy.png"] == "test"
    assert report.evaluation.n == 90 - learnt and f"{learnt} images are left out" in report.notes[0]
    with pytest.raises(BadManifest, match="does not know: '3'"):
        fitted.model.evaluate(write_digits(tmp_path / "other", classes=4))
    with pytest.raises(BadManifest, match="no labelled example that the model has not learnt from"):
        fitted.model.evaluate(_only_learnt(fitted, tmp_path / "learnt"))


def _only_learnt(fitted: Fitted, root: Path) -> Path:
    data = fitted.model.data
    for path in data["path"][data["split"] == "train"]:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes((fitted.source / path).read_bytes())
    return root


def test_the_report_is_tables_and_shows_itself(fitted: Fitted) -> None:
    report = fitted.model.evaluate()
    metrics, answers = report.metrics, report.predictions
    assert metrics.loc["accuracy", "value"] == pytest.approx(answers["right"].mean()) == report.headline.value
    assert (metrics["low"] <= metrics["value"]).all() and "accuracy of majority" in metrics.index
    assert report.confusion.to_numpy().sum() == len(answers) == report.classes["n"].sum()
    assert len(report.mistakes) == (~answers["right"]).sum()
    page = fitted.model._repr_html_()
    assert repr(report).split(";")[0].replace("95 %", "95")[:20] in page and "<svg" in page and "thaw_small" in page
    assert "<html" not in page and page.count("<div") == page.count("</div>")


def test_previews_of_mistakes_are_the_kind_s_own_and_missing_files_have_none(fitted: Fitted, tmp_path: Path) -> None:
    source = write_digits(tmp_path / "wrong", count=4)
    (source / "0").rename(source / "9")
    (source / "1").rename(source / "0")
    (source / "9").rename(source / "1")  # so most answers are mistakes
    report = _unlearnt(fitted).evaluate(source)
    answers = report.predictions
    assert answers["label"].tolist() == [path.partition("/")[0] for path in answers["path"]]
    swapped = {"0": "1", "1": "0", "2": "2"}
    assert answers["predicted"].tolist() == [swapped[label] for label in answers["label"]]
    assert len(report.mistakes) == 8 and report.confusion.loc["0", "1"] == 4
    assert "<img" in report._repr_html_()
    for path in source.rglob("*.png"):
        path.unlink()
    assert "<img" not in report._repr_html_() and "named" in report._repr_html_()


def _unlearnt(fitted: Fitted) -> thaw.Model:
    """The model as if it had learnt from nothing that is asked about."""
    from dataclasses import replace

    from thaw.dataset.manifest import build_manifest

    rows = [
        replace(row, digest=bytes(31) + bytes([place])) for place, row in enumerate(fitted.model.manifest.examples())
    ]
    return replace(fitted.model, manifest=build_manifest(rows))


def test_a_saved_model_is_the_same_and_no_file_is_a_pickle(fitted: Fitted, tmp_path: Path) -> None:
    folder = fitted.model.save(tmp_path / "saved")
    assert {path.suffix for path in folder.iterdir()} == {".safetensors", ".json", ".parquet"}
    again = thaw.load(folder, cache=fitted.cache)
    assert repr(again) == repr(fitted.model) and again.rejected == fitted.model.rejected
    file = fitted.source / "2/03.png"
    assert again.predict(file).equals(fitted.model.predict(file))
    assert again.evaluate().metrics.equals(fitted.model.evaluate().metrics)
    again.save(folder)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("mine")
    with pytest.raises(BadParameters, match="something else"):
        fitted.model.save(tmp_path / "mine")
    with pytest.raises(BadArtifact, match="no model of a notebook"):
        thaw.load(tmp_path / "mine")
