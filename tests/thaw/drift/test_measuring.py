"""Drift of real digits, against those that a model was measured on."""

from dataclasses import replace

import numpy as np
import pytest
from drifting import QUICK, batch, reference, report
from written import written

from thaw.drift import words
from thaw.drift.observed import Observed
from thaw.drift.record import DriftReport, write_report


def test_digits_as_before_have_not_drifted() -> None:
    found = report(batch(270, 120))
    assert found.enough and not found.drifted
    assert [one.what for one in found.findings] == ["inputs", "labels", "confidence", "neither"]
    assert words.verdict(found) == "No drift was found in 120 new examples."
    assert found == report(batch(270, 120)), "the same rows give the same report"


def test_blurred_digits_have() -> None:
    found = report(batch(270, 120, blur=True))
    assert "inputs" in {one.what for one in found.drifted}
    assert found.separation is not None and found.separation.auroc > 0.9
    assert "the examples" in words.verdict(found) and "version 1 was measured on" in words.verdict(found)


def test_digits_of_other_classes_come_out_as_neither_more_often() -> None:
    found = report(batch(270, 200, classes=10))
    assert {"inputs", "neither"} <= {one.what for one in found.drifted}
    assert found.neither is not None and found.neither.new.low > found.neither.reference.high


def test_another_mix_of_the_same_classes_is_a_drift_of_labels() -> None:
    new = batch(270, 200)
    found = report(new.rows(new.named[:, :2].any(1)))
    assert "labels" in {one.what for one in found.drifted}
    assert found.labels[0].name == "2" and found.labels[0].new == 0


@pytest.mark.parametrize("count", [0, 1, 29])
def test_too_few_are_said_to_be_too_few(count: int) -> None:
    new = batch(270, 120, blur=True)
    found = report(new.rows(np.arange(len(new)) < count))
    assert not found.enough and not found.findings and found.p_value is None
    assert words.verdict(found).startswith(f"There are too few examples to tell: {count} new examples")


def test_too_few_test_images_of_the_model_are_too_few_as_well() -> None:
    known = reference()
    found = report(batch(270, 120), known=replace(known, unseen=np.arange(len(known.rows)) < 12))
    assert words.verdict(found).startswith("There are too few examples to tell: 12 test examples of the model")


def test_answers_are_compared_with_unseen_rows_alone() -> None:
    known = reference()
    sure = np.where(known.unseen, known.rows.confidences, 1).astype(np.float32)
    changed = replace(known, rows=replace(known.rows, confidences=sure))
    assert report(batch(270, 120), known=changed) == report(batch(270, 120))


def test_a_model_that_names_sets_has_neither_confidence_nor_neither() -> None:
    def plain(rows: Observed) -> Observed:
        return replace(rows, confidences=None, accepted=None, known_scores=None)

    known = reference()
    found = report(plain(batch(270, 120)), known=replace(known, rows=plain(known.rows)))
    assert [one.what for one in found.findings] == ["inputs", "labels"]
    assert found.confidence is None and found.neither is None


def test_fewer_tests_leave_more_to_each() -> None:
    known, new = reference(), batch(270, 120)
    both = report(replace(new, confidences=None, accepted=None), known=known)
    four = report(new, known=known)
    assert both.findings[0].p_value == four.findings[0].p_value
    assert both.findings[0].adjusted <= four.findings[0].adjusted


def test_the_record_holds_all_of_it(tmp_path) -> None:  # type: ignore[no-untyped-def]
    found = report(batch(270, 120))
    write_report(found, tmp_path / "drift.json")
    assert written(DriftReport, tmp_path / "drift.json") == found


def test_a_rate_that_no_regrouping_could_show_is_refused() -> None:
    with pytest.raises(ValueError, match="400 or more are needed"):
        type(QUICK)(false_alarms=0.01, permutations=200)
