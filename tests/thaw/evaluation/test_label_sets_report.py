"""The page on label sets: what it says, and names that are out for harm."""

from dataclasses import replace

import numpy as np
from evaluations import HOSTILE, NAMES, hostile_evaluation, hostile_ingest, thumbnail

from thaw.evaluation.label_sets_evaluation import LabelSetEvaluation, evaluate_sets, surest_mistakes
from thaw.evaluation.label_sets_report import METRIC_TITLES, advice, render_set_report, set_figure_pngs, verdict
from thaw.evaluation.report import Origin
from thaw.foundation.statistics.bootstrap import Resampling
from thaw.kinds.images.kind import KIND
from thaw.params.sections import EvaluateParams
from thaw.strategies.baselines.label_sets_learners import always_all
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


def evaluation() -> LabelSetEvaluation:
    said = hostile_sets()
    return evaluate_sets(
        said,
        hostile_evaluation().model,
        (0.5, 0.25, 0.75),
        EvaluateParams(),
        resampling=Resampling(50),
        baselines=[("majority", always_all(said, [0.5, 0.5, 0.5]))],
        left_out=("scratch",),
    )


def test_the_page_holds_every_metric_and_runs_nothing_that_a_name_brings() -> None:
    found = evaluation()
    page = render_set_report(
        found, hostile_ingest(), Origin(HOSTILE, (), HOSTILE), {found.mistakes[0].digest: thumbnail()}, KIND.words
    )
    assert HOSTILE not in page
    for name in METRIC_TITLES:
        assert f'id="metric-{name}"' in page
    assert page.count("<img alt=") == 1
    assert "the same network from scratch" in page
    assert "Always every label" in page
    assert verdict(found, KIND.words) in page.replace("&#39;", "'")
    assert render_set_report(found, hostile_ingest(), Origin("", (), ""), {}, KIND.words) == render_set_report(
        found, hostile_ingest(), Origin("", (), ""), {}, KIND.words
    )


def test_a_baseline_that_is_as_good_is_told_of() -> None:
    said, found = hostile_sets(), evaluation()
    same = evaluate_sets(
        said, found.model, found.thresholds, EvaluateParams(), resampling=Resampling(50), baselines=[("pixels", said)]
    )
    assert any("raw pixels” is not shown to be worse" in line for line in advice(same, hostile_ingest(), KIND.words))
    perfect = evaluate_sets(
        replace(said, decided=said.targets), found.model, found.thresholds, EvaluateParams(), resampling=Resampling(50),
        baselines=[("pixels", said)],
    )  # fmt: skip
    assert not any("is not shown to be worse" in line for line in advice(perfect, hostile_ingest(), KIND.words))


def test_figures_are_there_as_png() -> None:
    assert [name for name, png in set_figure_pngs(evaluation(), KIND.words) if png.startswith(b"\x89PNG")] == [
        "macro_f1",
        "beside",
        "reliability",
        "classes",
    ]


def test_the_surest_mistakes_come_first() -> None:
    said = hostile_sets()
    found = surest_mistakes(said, 500)
    wrong = (said.named != said.targets).any(1)
    assert len(found) == wrong.sum()
    assert [one.certainty for one in found] == sorted((one.certainty for one in found), reverse=True)
    first = said.paths.index(found[0].path)
    sure = np.where(said.named[first], said.probabilities[first], 1 - said.probabilities[first])
    assert found[0].certainty == sure[said.named[first] != said.targets[first]].max()
    assert found[0].labels != found[0].predicted


def test_naming_everything_is_the_constant_of_the_best_f1() -> None:
    found = evaluation()
    (baseline,) = found.baselines
    shares = hostile_sets().targets.mean(0)
    assert baseline.metrics.macro_f1.value == np.mean(2 * shares / (1 + shares))
    assert baseline.metrics.mean_average_precision.value == np.mean(shares)
