"""The stage `advise`, on pictures that the earlier stages took."""

import json
from pathlib import Path

import pytest
from registration import change_params
from stage_runs import run_stage

from tasks.project.paths import ADVICE, ADVICE_PAGE, HEAD, MANIFEST, PREDICTED, REPORT, STRATEGY
from tasks.stages import advise, extract, head, ingest
from tasks.stages.evaluate import stage as evaluate
from thaw.foundation.errors import BadArtifact
from thaw.params.values.strategy import Strategy, read_strategy, write_strategy
from thaw.strategies.advice.record import read_advice, read_predicted


def test_it_decides_and_writes_page_figures_and_prediction(project: Path) -> None:
    advice = read_advice(ADVICE)
    assert read_strategy(STRATEGY) == advice.followed.strategy
    assert read_predicted(PREDICTED) == advice.followed.predicted
    assert advice.evidence.labelled == 16 and advice.evidence.test == 40, "the test judges nothing"
    compared = advice.comparison
    assert compared is not None and [one.name for one in compared.references] == ["pixels", "random_backbone"]
    assert compared.rows == advice.evidence.rows
    assert compared.accuracy in [layer.accuracy for layer in advice.layers], "the same figure in both sections"
    assert "dark" in (ADVICE_PAGE / "advice.html").read_text()
    assert (ADVICE_PAGE / "figures/depth.png").stat().st_size


def test_what_pixels_are_judged_on_does_not_depend_on_the_machine(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(advise, "REFERENCE_ROWS", 12)
    run_stage(advise)
    advice = read_advice(ADVICE)
    assert advice.comparison is not None and (advice.comparison.rows, advice.evidence.rows) == (12, 16)
    assert "a sample of the 16" in (ADVICE_PAGE / "advice.html").read_text()


def test_predicted_stands_beside_realised(project: Path) -> None:
    found = json.loads((REPORT / "metrics.json").read_text())
    predicted = read_predicted(PREDICTED)
    assert predicted is not None
    assert found["advice"]["predicted"] == predicted.value
    assert found["advice"]["predicted_low"] <= found["advice"]["predicted"] <= found["advice"]["predicted_high"]
    assert found["advice"]["realised"] == found["test"]["accuracy"]
    assert "the advice predicted" in (REPORT / "report.html").read_text()


def test_the_same_again_decides_with_the_same_bytes(project: Path) -> None:
    before = [path.read_bytes() for path in (STRATEGY, PREDICTED)]
    run_stage(advise)
    assert [path.read_bytes() for path in (STRATEGY, PREDICTED)] == before


def test_an_earlier_layer_that_is_cut_goes_all_the_way(project: Path) -> None:
    change_params("backbone: {weights: small.safetensors}", "backbone: {weights: small.safetensors, layers: [blocks]}")
    change_params("strategy: {minutes: 0}", "strategy: {minutes: 0, kind: cut}")
    run_stage(extract)
    run_stage(advise)
    strategy, advice = read_strategy(STRATEGY), read_advice(ADVICE)
    assert strategy.kind == "cut" and strategy.layer in [layer.name for layer in advice.layers[:-1]]
    assert not advice.automatic
    run_stage(head)
    run_stage(evaluate)
    assert f"<code>{strategy.layer}</code>" in (REPORT / "report.html").read_text()


def test_with_a_budget_validation_images_judge_and_are_not_learnt_from(project: Path) -> None:
    change_params("dataset: {source: photos}", "dataset: {source: photos, labels_per_class: 3}")
    for name in ("dark", "light and bright"):
        (Path("photos/val") / name).mkdir(parents=True)
        for file in sorted((Path("photos/train") / name).iterdir())[:4]:
            file.rename(Path("photos/val") / name / file.name)
    run_stage(ingest)
    run_stage(extract)
    run_stage(advise)
    advice = read_advice(ADVICE)
    assert (advice.size.examples, advice.evidence.validation, advice.evidence.rows) == (6, 8, 14)
    assert advice.curve is not None and advice.curve.labels == 3


def test_what_is_missing_is_said(project: Path) -> None:
    MANIFEST.unlink()
    with pytest.raises(BadArtifact, match="thaw run --stage ingest"):
        run_stage(advise)
    write_strategy(Strategy("linear", "flatten"), STRATEGY)
    assert HEAD.exists()
    PREDICTED.unlink()
    with pytest.raises(BadArtifact):
        run_stage(evaluate)
