"""The page on label sets: what it says, and names that are out for harm."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from evaluations import HOSTILE, NAMES, hostile_evaluation, hostile_ingest, thumbnail

from thaw.evaluation.evaluation import Evaluation, confident_mistakes, evaluate
from thaw.evaluation.report import Origin, advice, figure_pngs, render_report, verdict
from thaw.evaluation.wording import WORDING
from thaw.foundation.statistics.bootstrap import Resampling
from thaw.kinds.images.kind import KIND
from thaw.params.sections import EvaluateParams
from thaw.strategies.baselines.transfer_gain import Draw, Learner, TransferGain, measure_transfer_gain
from thaw.targets.predictions import Predictions

ROWS = 80


def hostile_sets() -> Predictions:
    generator = np.random.default_rng(0)
    probabilities = generator.random((ROWS, 3)).astype(np.float32)
    return Predictions(
        NAMES,
        tuple(bytes([number]) * 32 for number in range(ROWS)),
        tuple(f"{HOSTILE}/{number}.png" for number in range(ROWS)),
        generator.random((ROWS, 3)) < probabilities,
        probabilities,
        probabilities >= 0.5,
    )


def always_all(said: Predictions) -> Predictions:
    return replace(said, decided=np.ones_like(said.shown), probabilities=np.full((ROWS, 3), 0.5, np.float32))


def gain(shares: dict[str, float]) -> TransferGain:
    """Of ways to learn that decide rightly as often as their share says."""
    shown = torch.from_numpy(hostile_sets().shown)

    def learner(share: float) -> Learner:
        def learn(draw: Draw) -> torch.Tensor:
            wrong = torch.rand(shown.shape, generator=torch.Generator().manual_seed(draw.seed)) >= share
            return shown ^ wrong

        return learn

    draws = [Draw(seed, torch.arange(9), shown[:9]) for seed in range(2)]
    return measure_transfer_gain({name: learner(share) for name, share in shares.items()}, draws, shown, Resampling(50))


def evaluation(shares: dict[str, float] | None = None) -> Evaluation:
    said = hostile_sets()
    return evaluate(
        said,
        hostile_evaluation().model,
        EvaluateParams(),
        resampling=Resampling(50),
        thresholds=(0.5, 0.25, 0.75),
        baselines=[("majority", always_all(said))],
        transfer=gain(shares or {"frozen": 0.9, "pixels": 0.9, "scratch": 0.6}),
    )


def page(found: Evaluation) -> str:
    previews = {found.mistakes[0].digest: thumbnail()}
    return render_report(found, hostile_ingest(), Origin(HOSTILE, (), HOSTILE), previews, KIND.words)


def test_the_page_holds_every_metric_and_runs_nothing_that_a_name_brings() -> None:
    found = evaluation()
    html = page(found)
    assert HOSTILE not in html
    for name in WORDING["label_sets"].metrics:
        assert f'id="metric-{name}"' in html
    assert html.count("<img alt=") == 1
    assert "Always every label" in html and "Average precision" in html and "Threshold" in html
    assert (
        "A class is named if its probability reaches its threshold" in html
        and "Most often taken for another" not in html
    )
    assert page(found) == html


def test_it_says_macro_f1_and_what_transfer_gains_in_it() -> None:
    found = evaluation()
    said = verdict(found, KIND.words)
    assert said.startswith("The model reaches a macro F1 of") and "over training the same network from scratch" in said
    assert "The mean test macro F1 over 2 repetitions" in page(found)
    without = replace(found, transfer=None)
    assert "; always naming every label would reach" in verdict(without, KIND.words)


def test_a_baseline_that_is_as_good_is_told_of() -> None:
    lines = advice(evaluation(), hostile_ingest(), KIND.words)
    assert any("raw pixels” is not shown to be worse" in line for line in lines)
    assert not any("from scratch” is not shown" in line for line in lines)


def test_figures_are_there_as_png() -> None:
    assert [name for name, png in figure_pngs(evaluation(), KIND.words) if png.startswith(b"\x89PNG")] == [
        "macro_f1",
        "beside",
        "reliability",
        "classes",
        "transfer",
    ]


def test_the_surest_mistakes_come_first() -> None:
    said = hostile_sets()
    found = confident_mistakes(said, 500)
    wrong = (said.named != said.targets).any(1)
    assert len(found) == wrong.sum() == evaluation().wrong
    assert [one.confidence for one in found] == sorted((one.confidence for one in found), reverse=True)
    first = said.paths.index(found[0].path)
    sure = np.where(said.named[first], said.probabilities[first], 1 - said.probabilities[first])
    assert found[0].confidence == sure[said.named[first] != said.targets[first]].max()
    assert found[0].labels != found[0].predicted


def test_naming_everything_is_the_constant_of_the_best_f1() -> None:
    (baseline,) = evaluation().baselines
    shares = hostile_sets().shown.mean(0)
    assert baseline.headline.value == pytest.approx(np.mean(2 * shares / (1 + shares)))
