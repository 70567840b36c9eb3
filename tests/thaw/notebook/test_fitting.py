"""`thaw.fit` on each kind and target: what is held out, what is said, and what is computed."""

from pathlib import Path

import pytest
from made_up_sounds import tones_in_classes
from notebook_models import Fitted
from tiny_sources import write_digits, write_texts

import thaw
from thaw.dataset.ingestion import ingest
from thaw.dataset.places import places_of
from thaw.foundation.errors import BadManifest, BadParameters, BadSource
from thaw.kinds.registry import kind_named


def test_the_test_is_held_out_as_the_pipeline_holds_it_out(fitted: Fitted) -> None:
    dataset = fitted.model.setup.params.dataset
    again = ingest(places_of(dataset), dataset, kind_named("images"))
    assert again.manifest.table.equals(fitted.model.manifest.table)
    data = fitted.model.data.set_index("path")
    assert data.loc["0/copy.png", "split"] == data.loc["0/00.png", "split"]
    tested = set(data.index[data["split"] == "test"])
    assert tested and set(fitted.model.evaluate().predictions["path"]) == tested


def test_a_file_that_cannot_be_used_is_named_and_the_others_are_learnt(fitted: Fitted) -> None:
    ((path, reason),) = fitted.model.rejected
    assert path == "1/damaged.png" and fitted.warned == (f"1 of the images cannot be used: {path} {reason}",)
    assert len(fitted.model.data) == 49


def test_the_second_fit_computes_nothing(fitted: Fitted, passes: list[int]) -> None:
    settings = {"extract.engine": "torch"}
    with pytest.warns(UserWarning, match="damaged"):
        other = thaw.fit(
            fitted.source, backbone="thaw_small", strategy="knn", params=settings, cache=fitted.cache, quiet=True
        )
    assert sum(passes) <= 1 + 8, "a blank example for the sizes, and the spot check, but no digit that is new"
    assert other.strategy == "knn" and other.fingerprint == fitted.model.fingerprint


def test_texts_in_a_data_frame_need_no_file(tmp_path: Path) -> None:
    import pandas as pd

    frame = pd.read_csv(write_texts(tmp_path / "texts.csv"))
    model = thaw.fit(frame, cache=tmp_path / "cache", quiet=True)
    assert model.setup.kind.name == "texts" and model.class_names == ("class 0", "class 1", "class 2")
    row = model.predict("word1 word2 cue10 word3").iloc[0]
    assert row["example"] == "word1 word2 cue10 word3" and row["label"] in model.class_names
    plain = thaw.fit(frame, strategy="plain", cache=tmp_path / "cache", quiet=True)
    assert plain.evaluate().headline.value > 0.8 and plain.fingerprint == ""
    assert '<pre class="excerpt"' in model._repr_html_()
    with pytest.raises(BadSource, match="no column `text`"):
        thaw.fit(frame.rename(columns={"text": "words"}), cache=tmp_path / "cache")


def test_sounds_are_found_to_be_sounds(tmp_path: Path) -> None:
    model = thaw.fit(tones_in_classes(tmp_path / "tones"), cache=tmp_path / "cache", quiet=True)
    assert model.setup.kind.name == "sounds" and "test sounds" in repr(model)
    assert any("no sound has a group" in note.lower() for note in model.notes)


def test_a_listing_of_label_sets(tmp_path: Path) -> None:
    source = write_digits(tmp_path / "digits")
    rows = [f"{path.relative_to(source)},{'odd' if path.parent.name == '1' else ''}|seen{path.parent.name}" for path in source.rglob("*.png")]  # fmt: skip
    (source / "sets.csv").write_text("path,labels\n" + "\n".join(row.replace(",|", ",") for row in sorted(rows)) + "\n")
    model = thaw.fit(source, listing="sets.csv", backbone="thaw_small", cache=tmp_path / "cache", quiet=True)
    report = model.evaluate()
    assert report.metrics.index[0] == "macro_f1" and "macro F1" in repr(report)
    answers = model.predict([source / "1/00.png"])
    assert set(answers["labels"].iloc[0]) <= {"odd", "seen0", "seen1", "seen2"} and "labels" in model.data


def test_what_it_cannot_do_says_what_to_use(fitted: Fitted, tmp_path: Path) -> None:
    with pytest.raises(BadParameters, match="`thaw trigger`"):
        thaw.fit(fitted.source, target="trigger", cache=tmp_path)
    with pytest.raises(BadParameters, match="`thaw init PROJECT --from MODEL`"):
        thaw.fit(fitted.source, strategy="full", cache=tmp_path)
    with pytest.raises(BadParameters, match=r"head.l3: no such key"):
        thaw.fit(fitted.source, backbone="thaw_small", params={"head.l3": 1}, cache=tmp_path)
    with pytest.raises(BadSource, match="does not exist"):
        thaw.fit(tmp_path / "nowhere", cache=tmp_path)


def test_without_a_test_the_model_says_so(fitted: Fitted) -> None:
    with pytest.warns(UserWarning):
        model = thaw.fit(
            fitted.source, backbone="thaw_small", params={"dataset.splits.test": 0.0}, cache=fitted.cache, quiet=True
        )
    assert "without a test" in repr(model) and "without a test" in model._repr_html_()
    with pytest.raises(BadManifest, match=r"dataset\.splits\.test"):
        model.evaluate()
