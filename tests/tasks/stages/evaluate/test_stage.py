"""The stage `evaluate`, on pictures that the earlier stages took."""

import csv
import json
import re
import shutil
from pathlib import Path

import pytest
from registration import CLASSES, change_params
from stage_runs import run_stage

from tasks.project.paths import REPORT
from tasks.stages import advise, extract, head, ingest
from tasks.stages.evaluate import stage as evaluate
from tasks.stages.evaluate import trained_baselines
from thaw.dataset.slices import read_slices
from thaw.foundation.errors import BadArtifact, BadManifest, BadSource
from thaw.targets.predictions import read_predictions


def rows(name: str) -> list[dict[str, str]]:
    with (REPORT / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_metrics_predictions_and_tables_tell_the_same(project: Path) -> None:
    metrics = json.loads((REPORT / "metrics.json").read_text())["test"]
    predictions = read_predictions(REPORT / "predictions.parquet")
    right = (predictions.predicted == predictions.targets).mean()
    assert metrics["n"] == len(predictions) == 40
    assert metrics["accuracy"] == pytest.approx(right)
    pairs = rows("confusion.csv")
    assert sum(pair["actual"] == pair["predicted"] for pair in pairs) == right * 40
    assert {pair["actual"] for pair in pairs} == set(CLASSES)
    assert sum(int(one["n"]) for one in rows("reliability.csv")) == 40
    assert all((REPORT / "figures" / f"{name}.png").stat().st_size for name in ("accuracy", "confusion", "reliability"))


def test_the_same_inputs_give_the_same_bytes(project: Path) -> None:
    def written() -> dict[str, bytes]:
        varying = (".png", "serving.json")  # a time is never the same
        files = (path for path in sorted(REPORT.rglob("*")) if path.is_file() and not path.name.endswith(varying))
        return {str(path): re.sub(rb"<dt>Latency</dt>.*", b"", path.read_bytes()) for path in files}

    before = written()
    run_stage(evaluate)
    assert written() == before


def test_the_page_shows_the_parameters_that_differ_from_their_defaults_and_no_other(project: Path) -> None:
    page = (REPORT / "report.html").read_text()
    (block,) = re.findall(r"differ from their defaults</summary><pre>(.*?)</pre>", page, re.DOTALL)
    assert block.splitlines() == [
        "dataset.source: photos",
        "backbone.weights: small.safetensors",
        "strategy.minutes: 0.0",
        "head.l2: [0.001]",
        "statistics.bootstrap: 50",
        "evaluate.baselines: [&#39;majority&#39;]",
        "evaluate.seeds: 1",
        "registry.name: photos",
    ]


def test_three_ways_to_the_same_answer_are_compared(project: Path) -> None:
    found = json.loads((REPORT / "parity.json").read_text())
    assert found["rows"] == 40 and found["reason"] is None
    for way in ("pixels", "exported"):
        assert found[way]["labels_equal"] == 1 and found[way]["largest_difference"] < 1e-4


def test_slices_are_measured_and_kept_for_the_gate(project: Path) -> None:
    files = sorted(path.relative_to("photos") for path in Path("photos").glob("*/*/*"))
    listed = [f"{file},{file.parts[1]},{file.parts[0]},{'north' if n % 2 else ''}" for n, file in enumerate(files)]
    Path("photos/list.csv").write_text("\n".join(["path,label,split,site", *listed]))
    change_params("{source: photos}", "{source: photos, listing: list.csv, slices: [site]}")
    run_stage(ingest)
    run_stage(evaluate)
    slices = read_slices(REPORT / "slices.parquet")
    assert slices is not None and slices.digests == read_predictions(REPORT / "predictions.parquet").digests
    metrics = json.loads((REPORT / "metrics.json").read_text())
    found = metrics["slices"]
    assert [(found[n]["value"], found[n]["n"]) for n in "01"] == [("north", 20), ("", 20)]
    whole = sum(found[n]["accuracy"] * found[n]["n"] for n in "01") / 40
    assert whole == pytest.approx(metrics["test"]["accuracy"])
    page = (REPORT / "report.html").read_text()
    assert 'id="slices"' in page and 'id="ranking"' in page and 'id="right"' in page and "not stated" in page


def test_every_baseline_is_measured_from_the_same_images(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change_params("baselines: [majority]", "baselines: [majority, pixels, random_backbone]")
    change_params("seeds: 1", "seeds: 2")
    run_stage(evaluate)
    metrics = json.loads((REPORT / "metrics.json").read_text())
    assert metrics["baselines"]["majority"]["accuracy"] == 0.5
    assert metrics["transfer"]["seeds"] == 2
    assert metrics["transfer"]["pixels"]["accuracy"] == 1, "dark or bright: pixels are enough"
    assert metrics["transfer"]["random_backbone"]["accuracy"] > 0.9
    page = (REPORT / "report.html").read_text()
    assert "random" in page and "raw pixels" in page
    # A baseline that was measured on the same inputs opens no example and learns nothing again.
    monkeypatch.setattr(trained_baselines, "_examples", None)
    run_stage(evaluate)
    assert json.loads((REPORT / "metrics.json").read_text()) == metrics


def test_without_test_images_it_says_what_to_do(project: Path) -> None:
    shutil.rmtree("photos/test")
    change_params("dataset: {source: photos}", "dataset: {source: photos, splits: {val: 0.0, test: 0.0}}")
    run_stage(ingest)
    run_stage(extract)
    run_stage(advise)
    run_stage(head)
    with pytest.raises(BadManifest, match=r"raise dataset\.splits\.test"):
        run_stage(evaluate)


def test_without_a_head_it_says_which_stage_makes_one(project: Path) -> None:
    shutil.rmtree("data/head")
    with pytest.raises(BadArtifact, match="thaw run --stage head"):
        run_stage(evaluate)


def test_a_mistake_whose_image_changed_stops_it_and_the_last_report_stays(project: Path) -> None:
    # Labels that are wrong make mistakes, and mistakes are shown as pictures.
    first = next(iter(sorted(Path("photos/test/dark").iterdir())))
    moved = Path("photos/test/light and bright") / "was-dark.png"
    first.rename(moved)
    run_stage(ingest)
    before = {path: path.read_bytes() for path in REPORT.rglob("*") if path.is_file()}
    moved.write_bytes(moved.read_bytes() + b"more")
    with pytest.raises(BadSource, match="changed since it was ingested"):
        run_stage(evaluate)
    assert {path: path.read_bytes() for path in REPORT.rglob("*") if path.is_file()} == before


def test_what_is_rejected_is_counted_beside_what_is_right(project: Path) -> None:
    plain = json.loads((REPORT / "metrics.json").read_text())
    assert "openness" not in plain and 'id="neither"' not in (REPORT / "report.html").read_text()
    change_params("registry:", "openness: {score: neighbours, false_accepts: 0.3}\nregistry:")
    run_stage(head)
    run_stage(evaluate)
    metrics = json.loads((REPORT / "metrics.json").read_text())
    found = metrics.pop("openness")
    assert metrics == plain, "nothing else is measured otherwise"
    assert found["score"] == "neighbours" and 0 <= found["false_rejects"] <= 1
    assert found["tuned_false_accepts"] <= 0.3 and found["tuned_false_accepts"] < found["tuned_false_accepts_upper"]
    page = (REPORT / "report.html").read_text()
    assert 'id="neither"' in page and "two classes say little of others" in page.replace("Two", "two")
    assert (REPORT / "figures/openness.png").stat().st_size


def test_images_of_the_background_class_are_counted_apart(project: Path) -> None:
    change_params("registry:", "openness: {background: dark}\nregistry:")
    run_stage(head)
    run_stage(evaluate)
    found = json.loads((REPORT / "metrics.json").read_text())["openness"]
    assert found["score"] == "background" and found["false_accepts"] < 0.2
    assert "Of the 20 test images of the background class it wrongly accepts" in (REPORT / "report.html").read_text()
