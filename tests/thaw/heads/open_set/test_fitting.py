"""What a model calls unknown: real digits that it has never seen, and the choices and refusals on the way."""

from dataclasses import replace

import pytest
import torch
from openness_rows import QUICK, blobs, digits, head_on_digits, openness_on_digits

from thaw.foundation.errors import BadParameters
from thaw.heads import FittedHead, fit_head
from thaw.heads.fitted import Setting, Trial
from thaw.heads.open_set import Openness
from thaw.heads.open_set import fitting as module
from thaw.heads.open_set.fitting import SCORES, check_thawed, fit_openness
from thaw.heads.open_set.scores import known_scores
from thaw.params.sections import OpennessParams
from thaw.params.values.strategy import HeadKind
from thaw.targets.labelled import LabelledFeatures


def fitted(rows: LabelledFeatures, kind: HeadKind = "linear", **asked: object) -> Openness:
    found = fit_openness(
        fit_head(rows, None, QUICK, kind), rows, None, params=OpennessParams.model_validate(asked), head_params=QUICK
    )
    assert found is not None
    return found


def fine_tuned(rows: LabelledFeatures) -> FittedHead:
    """As fine-tuning leaves it: its trials are epochs."""
    return replace(fit_head(rows, None, QUICK), trials=(Trial(Setting(epochs=2), 0.1, 0.9, True),))


def test_nothing_is_fitted_where_nothing_is_asked_for() -> None:
    assert fit_openness(head_on_digits(), digits(), None, params=OpennessParams(), head_params=QUICK) is None


@pytest.mark.parametrize("score", ["auto", *SCORES])
def test_digits_never_seen_are_mostly_neither_and_known_ones_mostly_not(score: str) -> None:
    openness, fresh = openness_on_digits(score, 0.1), digits(10, 800, skip=900)
    accepted = openness.accepts(openness.known_scores(head_on_digits(), fresh.features))
    known = fresh.targets < 6
    assert accepted[~known].float().mean() < 0.4
    assert accepted[known].float().mean() > accepted[~known].float().mean() + 0.2
    assert openness.tuning.reached and openness.tuning.chosen.false_accepts <= 0.1
    assert score in ("auto", openness.score.name)


def test_auto_takes_the_score_that_rejects_the_fewest() -> None:
    tuning = openness_on_digits().tuning
    assert {one.score for one in tuning.candidates} == set(SCORES)
    rejected = [one.false_rejects for one in tuning.candidates]
    assert rejected == sorted(rejected) and openness_on_digits().score.name == tuning.chosen.score


def test_the_same_rows_give_the_same_answer() -> None:
    one, other = fitted(blobs((9, 9, 9)), score="auto"), fitted(blobs((9, 9, 9)), score="auto")
    assert one.threshold == other.threshold and one.tuning == other.tuning


def test_with_two_classes_only_features_are_looked_at() -> None:
    rows = digits(2, 120)
    found = fitted(rows, score="auto")
    assert {one.score for one in found.tuning.candidates} == {"mahalanobis", "neighbours"}
    with pytest.raises(BadParameters, match=r"openness\.score: energy.*two classes.*take auto, mahalanobis or"):
        fitted(rows, score="energy")


def test_a_neighbours_head_has_no_energy() -> None:
    assert "energy" not in {one.score for one in fitted(blobs((9, 9, 9)), "knn", score="auto").tuning.candidates}
    with pytest.raises(BadParameters, match="energy is always 0"):
        fitted(blobs((9, 9, 9)), "knn", score="energy")


def test_too_few_rows_lower_the_threshold_to_the_best_and_say_so() -> None:
    found = fitted(blobs((5, 5, 5)), score="neighbours")
    assert not found.tuning.reached and found.tuning.n < found.tuning.needed
    assert found.tuning.chosen.false_accepts == 0


@pytest.mark.parametrize("counts", [(1, 3, 2), (2, 1), (1, 1, 6)])
def test_classes_of_single_rows_are_survived(counts: tuple[int, ...]) -> None:
    found = fitted(blobs(counts, dim=30), score="auto")
    assert torch.isfinite(torch.tensor(found.threshold))


def test_validation_rows_are_tuned_on_too() -> None:
    rows = blobs((9, 9, 9))
    head = fit_head(rows, None, QUICK)
    params = OpennessParams(score="neighbours")
    found = fit_openness(head, rows, blobs((4, 4, 4), seed=0), params=params, head_params=QUICK)
    assert found is not None and found.tuning.n == found.tuning.known == 39


def test_many_rows_are_sampled_and_no_class_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 30)
    rows = blobs((100, 1, 100))
    found = fitted(rows, score="neighbours")
    assert found.tuning.n <= 31
    assert known_scores(found.score, None, rows.features[100:101]).item() == pytest.approx(0, abs=1e-3)


def test_a_background_class_is_used_where_there_is_one() -> None:
    found = fitted(digits(5, 300), background="4")
    assert found.background == "4" and found.tuning.unknown == "background" and found.score.name == "background"
    assert found.threshold > 0.5 and found.tuning.chosen.false_accepts <= 0.05


@pytest.mark.parametrize(
    ("background", "message"), [("9", "'9' is no label of a training example"), (None, "rename it")]
)
def test_names_in_the_way_are_refused(background: str | None, message: str) -> None:
    rows = replace(blobs((5, 5)), class_names=("ants", "neither"))
    with pytest.raises(BadParameters, match=message):
        fitted(rows, score="auto", background=background)


def test_the_background_may_be_called_neither() -> None:
    rows = replace(blobs((9, 9, 9)), class_names=("ants", "bees", "neither"))
    assert fitted(rows, background="neither").background == "neither"


def test_a_fine_tuned_head_is_never_fitted_again() -> None:
    """There is no setting to fit it by: distances alone are left, and the tuning says that the backbone has seen everything."""
    rows = blobs((9, 9, 9))
    params = OpennessParams(score="auto")
    found = fit_openness(fine_tuned(rows), rows, None, params=params, head_params=QUICK)
    assert found is not None and found.tuning.seen
    assert {one.score for one in found.tuning.candidates} == {"mahalanobis", "neighbours"}
    assert not fitted(rows, score="auto").tuning.seen
    for score in ("energy", "max_probability"):
        asked = OpennessParams.model_validate({"score": score})
        with pytest.raises(BadParameters, match="trained with the network"):
            fit_openness(fine_tuned(rows), rows, None, params=asked, head_params=QUICK)
        with pytest.raises(BadParameters, match="trained with the network"):
            check_thawed(asked)
    check_thawed(params)


def test_a_fine_tuned_heads_background_is_tuned_on_validation() -> None:
    rows, params = digits(4, 200), OpennessParams(background="3")
    found = fit_openness(fine_tuned(rows), rows, digits(4, 120, skip=300), params=params, head_params=QUICK)
    assert found is not None and found.tuning.known + found.tuning.n == 120 and not found.tuning.seen
