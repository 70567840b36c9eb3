"""Figures: repeatable, safe with any name, and readable at the edges of what occurs."""

from xml.etree import ElementTree

import numpy as np
import pytest
from evaluations import HOSTILE, hostile_evaluation, hostile_tuning
from scipy.stats import binomtest

from thaw.evaluation.figures import (
    WORST,
    Bar,
    ReliabilityAxes,
    accuracy_figure,
    class_figure,
    matrix_figure,
    openness_figure,
    reliability_figure,
    transfer_figure,
)
from thaw.foundation.statistics.bootstrap import Estimate
from thaw.pages.figures import png, svg
from thaw.targets.one_label.metrics import ClassScore, ReliabilityBin


def score(number: int) -> ClassScore:
    return ClassScore(f"class {number}", 10, 10, 0.5, 0.5, number / 100)


def test_svg_is_the_same_each_time_and_is_well_formed() -> None:
    def drawn() -> str:
        evaluation = hostile_evaluation()
        return svg(matrix_figure(evaluation.confusion, evaluation.of, ("$x_1$", HOSTILE, "蜂"), "named"), "confusion")

    text = drawn()
    assert text == drawn()
    assert HOSTILE not in text and "$x_1$" in text, "names are neither markup nor mathematics"
    assert ElementTree.fromstring(text).tag.endswith("svg")


def test_ids_of_two_figures_on_a_page_do_not_meet() -> None:
    transfer = hostile_evaluation().transfer
    assert transfer is not None
    titles = [one.name for one in transfer.contenders]
    ids = [
        {
            element.get("id")
            for element in ElementTree.fromstring(svg(transfer_figure(transfer, titles, "accuracy"), name)).iter()
        }
        for name in ("one", "two")
    ]
    assert (ids[0] & ids[1]) <= {None}


def test_png_has_its_signature_and_a_ground() -> None:
    bars = [Bar("model", Estimate(0.9, 0.8, 0.95), True), Bar("majority", Estimate(0.1, 0.05, 0.2), False)]
    assert png(accuracy_figure(bars, "accuracy")).startswith(b"\x89PNG")


@pytest.mark.parametrize("classes", [2, 21, 120])
def test_any_number_of_classes_gets_a_matrix(classes: int) -> None:
    confusion = np.eye(classes, dtype=np.int64) * 3
    names = [f"class {number}" for number in range(classes)]
    assert png(matrix_figure(confusion, confusion, names, "predicted")).startswith(b"\x89PNG")


def test_bars_show_the_worst_classes_and_leave_out_those_without_images() -> None:
    scores = [score(number) for number in range(WORST + 20)] + [ClassScore("empty", 0, 0, None, None, None)]
    labels = [label.get_text() for label in class_figure(scores).axes[0].get_yticklabels()]
    assert labels == [f"class {number}" for number in range(WORST)]


def test_empty_bins_are_no_points() -> None:
    bins = [ReliabilityBin(0.0, 0.5, 0, None, None), ReliabilityBin(0.5, 1.0, 4, 0.9, 0.75)]
    upper = reliability_figure(bins, ReliabilityAxes("confidence", "right", "counted")).axes[0]
    assert len(upper.lines) == 3, "the diagonal, one interval, one point"
    expected = binomtest(3, 4).proportion_ci(method="wilson")
    assert list(upper.lines[1].get_ydata()) == [expected.low, expected.high]


def test_the_threshold_lies_on_its_curve() -> None:
    tuning = hostile_tuning()
    axes = openness_figure(tuning).axes[0]
    (dot,) = [line for line in axes.lines if line.get_marker() == "o" and line.get_markersize() == 7]
    assert dot.get_xydata().tolist() == [[tuning.chosen.false_rejects, tuning.chosen.false_accepts]]
    drawn = [text.get_text() for text in axes.get_legend().get_texts()]
    assert len(drawn) == 2 and f"AUROC {tuning.chosen.auroc:.3f}" in drawn[0], "the chosen one first"
    assert svg(openness_figure(tuning), "openness") == svg(openness_figure(tuning), "openness")
