"""An evaluation agrees with scikit-learn, and its parts agree with each other."""

from dataclasses import replace

import numpy as np
import pytest
from evaluations import NAMES, hostile_evaluation, hostile_predictions, hostile_tuning
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, f1_score, log_loss

from thaw.evaluation.evaluation import count_rejections, evaluate, top_confusions
from thaw.foundation.statistics.bootstrap import Resampling
from thaw.heads.open_set import Openness
from thaw.heads.open_set.scores import Background, Energy
from thaw.params.sections import EvaluateParams


def test_its_figures_are_scikit_learns() -> None:
    predictions, metrics = hostile_predictions(), hostile_evaluation().metrics
    targets, predicted = predictions.targets, predictions.predicted
    assert metrics.accuracy.value == pytest.approx(accuracy_score(targets, predicted))
    assert metrics.balanced_accuracy.value == pytest.approx(balanced_accuracy_score(targets, predicted))
    assert metrics.macro_f1.value == pytest.approx(f1_score(targets, predicted, average="macro"))
    assert metrics.log_loss.value == pytest.approx(log_loss(targets, predictions.probabilities), rel=1e-5)
    assert (hostile_evaluation().confusion == confusion_matrix(targets, predicted)).all()


def test_every_interval_holds_its_value() -> None:
    for name, estimate in vars(hostile_evaluation().metrics).items():
        assert estimate.low <= estimate.value <= estimate.high, name


def test_its_parts_add_up() -> None:
    evaluation = hostile_evaluation()
    assert evaluation.confusion.sum() == evaluation.n == sum(one.n for one in evaluation.reliability) == 60
    assert evaluation.wrong == evaluation.n - np.trace(evaluation.confusion)
    assert [score.name for score in evaluation.classes] == list(NAMES)
    assert len(evaluation.mistakes) == min(5, evaluation.wrong)


def test_baselines_are_measured_on_the_same_rows() -> None:
    predictions = hostile_predictions()
    perfect = replace(predictions, probabilities=np.eye(3, dtype=np.float32)[predictions.classes])
    model = hostile_evaluation().model
    found = evaluate(predictions, model, EvaluateParams(), resampling=Resampling(20), baselines=[("oracle", perfect)])
    assert found.baselines[0].headline.value == 1
    assert found.transfer is None


def test_confusions_are_shares_of_the_label_and_never_of_what_is_right() -> None:
    evaluation = hostile_evaluation()
    pairs = top_confusions(evaluation, 2)
    assert len(pairs) == 2 and pairs[0].count >= pairs[1].count > 0
    for pair in pairs:
        row, column = NAMES.index(pair.label), NAMES.index(pair.predicted)
        assert row != column
        assert pair.share == pytest.approx(evaluation.confusion[row, column] / evaluation.confusion[row].sum())


@pytest.mark.parametrize("background", [None, NAMES[1]])
def test_what_is_rejected_is_counted_by_hand(background: str | None) -> None:
    predictions, accepted = hostile_predictions(), np.arange(60) % 4 != 0
    score = Energy() if background is None else Background(1)
    found = count_rejections(Openness(score, 0.5, hostile_tuning(), background), accepted, predictions)
    rows = list(zip(predictions.targets, predictions.predicted, accepted, strict=True))
    known = [row for row in rows if background is None or row[0] != 1]
    assert (found.known, found.unknown) == (len(known), 60 - len(known))
    assert found.rejected == sum(not taken for _, _, taken in known)
    assert found.right == sum(taken and target == said for target, said, taken in known)
    assert found.accepted == sum(taken for target, _, taken in rows if background is not None and target == 1)
    assert found.false_rejects == found.rejected / found.known
    assert found.accuracy_of_accepted == found.right / (found.known - found.rejected)
    assert found.false_accepts == (None if background is None else found.accepted / 20)
    nothing = count_rejections(Openness(score, 0.5, hostile_tuning(), background), ~accepted & accepted, predictions)
    assert nothing.accuracy_of_accepted is None and nothing.false_rejects == 1
