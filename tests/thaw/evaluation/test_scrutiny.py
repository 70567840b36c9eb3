"""The scrutiny on the page: operating points, slices, confidence, with names that are out for harm."""

from dataclasses import replace

import numpy as np
from evaluations import HOSTILE, hostile_evaluation, hostile_ingest, hostile_predictions

from thaw.dataset.slices import Slices
from thaw.evaluation.report import Origin, draw_figures, render_report
from thaw.evaluation.scrutiny import Scrutiny, Surroundings, scrutinise
from thaw.foundation.statistics.bootstrap import Resampling
from thaw.kinds.images.kind import KIND
from thaw.params.sections import EvaluateParams
from thaw.targets.predictions import Predictions


def sets_of(found: Predictions) -> Predictions:
    return replace(found, targets=found.shown, decided=found.probabilities > 0.4)


def scrutiny_of(found: Predictions, groups: bool = True, validation: bool = True) -> Scrutiny:
    sites: tuple[str | None, ...] = (HOSTILE, None, "north") * 20
    return scrutinise(
        replace(found, groups=np.arange(60) // 3 if groups else None),
        Surroundings(
            Slices((HOSTILE,), found.digests, found.paths, (sites,)),
            found if validation else None,
        ),
        EvaluateParams(),
        Resampling(50),
    )


def test_the_page_says_by_group_and_why() -> None:
    evaluation = replace(hostile_evaluation(), groups=20)
    html = render_report(evaluation, hostile_ingest(), Origin("x", (), ""), {}, KIND.words)
    assert "interval by group" in html and "the 20 groups of the test images" in html and "too narrow" in html
    assert "All intervals are by group" not in page(scrutiny_of(hostile_predictions(), groups=False))


def page(scrutiny: Scrutiny) -> str:
    evaluation = replace(hostile_evaluation(), scrutiny=scrutiny)
    return render_report(evaluation, hostile_ingest(), Origin("x", (), ""), {}, KIND.words)


def test_everything_of_it_is_on_the_page_and_names_stay_text() -> None:
    scrutiny = scrutiny_of(hostile_predictions())
    html = page(scrutiny)
    assert HOSTILE not in html and "not stated" in html
    assert html.count("<tr><td><bdi>&lt;script") >= 6, "classes, points and slices"
    assert (
        "by group, over the 20 groups of the test images" in html
        and "Each threshold is chosen on 60 validation images" in html
    )
    assert len(scrutiny.ranking) == 3 and len(scrutiny.slices) == 3
    assert len(scrutiny.points) == 3 * 2 * 3, "classes, operating points and values"


def test_a_picture_of_two_classes_and_of_sets_alone() -> None:
    three = replace(hostile_evaluation(), scrutiny=scrutiny_of(hostile_predictions()))
    assert {"coverage", "slices"} <= draw_figures(three, KIND.words).keys() and "roc" not in draw_figures(
        three, KIND.words
    )
    two = hostile_evaluation(names=("a", "b"))
    two = replace(two, scrutiny=scrutiny_of(hostile_predictions(names=("a", "b"))))
    assert "roc" in draw_figures(two, KIND.words)


def test_a_class_without_test_rows_has_no_curve() -> None:
    scrutiny = scrutiny_of(hostile_predictions(names=("a", "b")))
    two = hostile_evaluation(names=("a", "b"))
    for ranking, drawn in ((scrutiny.ranking[1:], True), (scrutiny.ranking[:1], False)):
        shown = replace(two, scrutiny=replace(scrutiny, ranking=ranking))
        assert ("roc" in draw_figures(shown, KIND.words)) is drawn


def test_without_groups_and_validation_the_page_says_what_lacks() -> None:
    html = page(scrutiny_of(hostile_predictions(), groups=False, validation=False))
    assert "The intervals are over the test images" in html and "points-table" not in html
    assert html.count("There is no validation split") == 2


def test_sets_are_ranked_label_by_label() -> None:
    scrutiny = scrutiny_of(sets_of(hostile_predictions()))
    assert [entry.positives for entry in scrutiny.ranking] == [20, 20, 20]
    assert all(0.5 < entry.auroc.low < entry.auroc.value for entry in scrutiny.ranking)
