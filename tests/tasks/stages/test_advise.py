"""The stage `advise`, on pictures that the earlier stages took."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from registration import change_params
from stage_runs import run_stage

from tasks.project.local_state import ADVICES
from tasks.project.measurements import forget_others
from tasks.project.paths import ADVICE, ADVICE_PAGE, HEAD, MANIFEST, PREDICTED, REPORT, STRATEGY
from tasks.stages import advise, extract, head, ingest
from tasks.stages.evaluate import stage as evaluate
from thaw.foundation.errors import BadArtifact
from thaw.params.values.reading import read_params
from thaw.params.values.strategy import Strategy, read_strategy, write_strategy
from thaw.strategies.advice import out_of_fold, situation
from thaw.strategies.advice.out_of_fold import HeadTrial
from thaw.strategies.advice.pool import Fold, Pool
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
    monkeypatch.setattr(situation, "REFERENCE_ROWS", 12)
    shutil.rmtree(ADVICES)  # measured again, on fewer rows than the kept pieces
    run_stage(advise)
    shutil.rmtree(ADVICES)
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
    shutil.rmtree(ADVICES)  # measured again
    run_stage(advise)
    assert [path.read_bytes() for path in (STRATEGY, PREDICTED)] == before


def test_killed_in_the_middle_it_goes_on_and_measures_nothing_twice(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(ADVICES)
    fits = count_fits(monkeypatch)
    run_stage(advise)
    whole, total = untimed(ADVICE), len(fits)
    ADVICE.unlink()
    shutil.rmtree(ADVICES)
    first = count_fits(monkeypatch, total // 2)
    with pytest.raises(KeyboardInterrupt):
        run_stage(advise)
    assert list(ADVICES.rglob("*.safetensors")) and not ADVICE.exists()
    second = count_fits(monkeypatch)
    run_stage(advise)
    assert untimed(ADVICE) == whole, "bit for bit"
    lost = len(first) + len(second) - total
    assert 0 <= lost < MOST_FOLDS and len(second) < total, "only the piece in which it was killed is measured again"
    change_params("strategy: {minutes: 0}", "strategy: {minutes: 0, kind: knn}")
    third = count_fits(monkeypatch)
    run_stage(advise)
    assert read_strategy(STRATEGY).kind == "knn" and third == [], "another choice from the same measurements"
    assert {**untimed(ADVICE), **dict.fromkeys(CHOSEN)} == {**whole, **dict.fromkeys(CHOSEN)}
    assert len(list(ADVICES.iterdir())) == 1


CHOSEN = ("followed", "automatic")
"""The parts of an advice that depend on the strategy that is asked for."""


def test_what_was_measured_on_other_inputs_is_not_used_and_goes(project: Path) -> None:
    params = read_params()
    other = params.model_copy(update={"head": params.head.model_copy(update={"l2": (0.1,)})})
    before = advise._kept(params)
    assert advise._kept(params) == before != advise._kept(other)
    Path("small.safetensors").write_bytes(Path("small.safetensors").read_bytes() + b" ")
    now = advise._kept(params)
    assert now != before
    for kept in (before, now):
        kept.write("probe", {"seconds": np.zeros(1)})
    forget_others(now)
    assert now.read("probe") is not None and before.read("probe") is None


MOST_FOLDS = 15
"""The most fits of one piece."""


def count_fits(monkeypatch: pytest.MonkeyPatch, stop: int | None = None) -> list[HeadTrial]:
    """Every fit from now on. stop: the fit at which Ctrl-C comes."""
    monkeypatch.undo()
    fits: list[HeadTrial] = []
    fit = out_of_fold._fit

    def counted(pool: Pool, fold: Fold, trial: HeadTrial, *rest: Any) -> Any:
        if len(fits) == stop:
            raise KeyboardInterrupt
        scores = fit(pool, fold, trial, *rest)
        fits.append(trial)
        return scores

    monkeypatch.setattr(out_of_fold, "_fit", counted)
    return fits


def untimed(path: Path) -> Any:
    """An advice without the times, which differ from run to run."""
    advice = json.loads(path.read_text())
    for option in advice["options"]:
        option["minutes"] = option["images_per_second"] = None
    return advice


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
