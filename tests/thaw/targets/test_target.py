"""The border of targets: which one labels are of, and what each makes of rows."""

from pathlib import Path

import numpy as np
import pytest
import torch

from thaw.dataset.manifest import Example, build_manifest
from thaw.foundation.errors import BadArtifact, BadManifest, BadParameters
from thaw.targets.label_sets.target import LABEL_SETS
from thaw.targets.one_label.target import ONE_LABEL
from thaw.targets.predictions import Predictions
from thaw.targets.supports import TABLE, require, supports
from thaw.targets.target import NEITHER, NEVER, Target, target_named, target_of, target_of_targets
from thaw.targets.trigger.target import TRIGGER

ROOT = Path(__file__).parents[3]
NAMES = ("ant", "bee")


def row(label: str | None, labels: tuple[str, ...] | None = None) -> Example:
    return Example(b"x" * 32, "a.png", label, "train", None, (8, 8, 3), 9, labels)


def test_a_manifest_rows_and_a_name_say_the_same() -> None:
    assert target_of(build_manifest([row("ant")])) == target_of_targets(torch.zeros(3, dtype=torch.int64)) == ONE_LABEL
    assert (
        target_of(build_manifest([row(None, ("ant",))])) == target_of_targets(np.zeros((3, 2), np.bool_)) == LABEL_SETS
    )
    assert target_of(build_manifest([row(None, ())], target="trigger")) == TRIGGER
    assert [target_named(target.name) for target in (ONE_LABEL, LABEL_SETS, TRIGGER)] == [
        ONE_LABEL,
        LABEL_SETS,
        TRIGGER,
    ]
    with pytest.raises(BadArtifact, match="odours, which this version"):
        target_of(build_manifest([row("ant")], target="odours"))


def test_labels_become_numbers_or_sets() -> None:
    assert ONE_LABEL.encode([row("bee"), row("ant")], NAMES).tolist() == [1, 0]
    assert LABEL_SETS.encode([row(None, ("ant", "bee")), row(None, ())], NAMES).tolist() == [[True, True], [False] * 2]
    assert LABEL_SETS.encode([], NAMES).shape == (0, 2)


@pytest.mark.parametrize(
    ("target", "targets"),
    [
        (ONE_LABEL, torch.tensor([0, 0, 0, 1])),
        (LABEL_SETS, torch.tensor([[1, 0], [1, 0], [1, 1], [0, 1]], dtype=torch.bool)),
    ],
)
def test_balanced_weights_have_the_mean_one_and_losses_agree(target: Target, targets: torch.Tensor) -> None:
    weights = target.weights(targets, NAMES, "balanced")
    assert (target.weights(targets, NAMES, "none") == 1).all()
    logits = torch.randn(4, 2, generator=torch.Generator().manual_seed(0))
    assert target.weight_of(targets, weights) == pytest.approx(4)
    losses = target.losses(logits, targets, weights)
    mean = float(target.mean_loss(logits, targets, weights))
    assert losses.log_loss == pytest.approx(mean, rel=1e-5)
    assert float(target.summed_loss(logits, targets, weights, 0.0)) == pytest.approx(4 * mean, rel=1e-5)
    assert float(target.summed_loss(logits, targets, weights, 0.2)) != pytest.approx(4 * mean, rel=1e-5)
    doubled = losses + losses
    assert (doubled.log_loss, doubled.accuracy) == pytest.approx((losses.log_loss, losses.accuracy))


def test_what_rows_cannot_teach_is_refused() -> None:
    with pytest.raises(BadManifest, match="none of 'bee'"):
        ONE_LABEL.weights(torch.tensor([0, 0]), NAMES, "none")
    with pytest.raises(BadManifest, match="not of 'ant'"):
        LABEL_SETS.weights(torch.tensor([[True, False], [True, True]]), NAMES, "none")


def test_a_class_is_named_because_it_is_first_or_because_it_reaches_its_threshold() -> None:
    probabilities = torch.tensor([[0.6, 0.4], [0.5, 0.5], [0.1, 0.2]])
    assert ONE_LABEL.named(probabilities, None).tolist() == [[True, False], [True, False], [False, True]]
    assert LABEL_SETS.named(probabilities, (0.5, 0.2)).tolist() == [[True, True], [True, True], [False, True]]
    assert ONE_LABEL.confidences(probabilities.numpy()).tolist() == pytest.approx(np.array([[0.6], [0.5], [0.2]]))
    assert LABEL_SETS.confidences(probabilities.numpy()).shape == (3, 2)


def test_what_rows_add_to_the_headline_makes_it() -> None:
    classes, shown = torch.tensor([0, 1, 1]), torch.tensor([[True, False], [True, True], [False, True]])
    named = torch.tensor([[True, False], [True, False], [False, True]])
    right, counts = ONE_LABEL.tally(named, classes), LABEL_SETS.tally(named, shown)
    assert right[:, 0].tolist() == [True, False, True] and counts.shape == (3, 6)
    rows = np.array([3.0])
    assert ONE_LABEL.headline_of(right.sum(0)[:, None] * 1.0, rows) == pytest.approx([2 / 3])
    assert LABEL_SETS.headline_of(counts.sum(0)[:, None] * 1.0, rows) == pytest.approx([(1 + 2 / 3) / 2])


def test_held_out_sets_are_named_by_thresholds_of_the_others() -> None:
    logits, shown = torch.tensor([[-1.0, 3.0], [-2.0, 1.0]]), torch.tensor([[True, True], [False, False]])
    others = torch.tensor([[-1.4, 2.2], [-1.6, 1.8]]), torch.tensor([[True, True], [False, False]])
    tuned = LABEL_SETS.tally_held_out(LABEL_SETS.kept(logits), shown, others)
    assert tuned[:, 4:].tolist() == shown.tolist(), "-1.5 and 2 tell them apart"
    half = LABEL_SETS.tally_held_out(LABEL_SETS.kept(logits), shown, None)
    assert half[:, 4:].tolist() == [[False, True], [False, True]]
    kept = ONE_LABEL.kept(logits)
    assert ONE_LABEL.tally_held_out(kept, torch.tensor([1, 0]), None)[:, 0].tolist() == [True, False]


def test_neighbours_name_the_first_or_each_that_half_of_them_show() -> None:
    votes = torch.tensor([[3.0, 2.0], [2.5, 2.5]])
    assert ONE_LABEL.voted(votes, 5.0).tolist() == [[True, False], [True, False]]
    assert LABEL_SETS.voted(votes, 5.0).tolist() == [[True, False], [True, True]]


def test_rows_by_class_and_by_set() -> None:
    shown = torch.tensor([[True, False], [True, True], [True, False]])
    assert LABEL_SETS.class_counts(shown, 2).tolist() == [3, 1] and LABEL_SETS.showing(shown, 1).sum() == 1
    assert LABEL_SETS.alike(shown)[0] == LABEL_SETS.alike(shown)[2] != LABEL_SETS.alike(shown)[1]
    assert not LABEL_SETS.is_teachable(shown, 2), "all rows show the first"
    classes = torch.tensor([0, 1, 1])
    assert ONE_LABEL.class_counts(classes, 3).tolist() == [1, 2, 0] and not ONE_LABEL.is_teachable(classes, 3)
    assert ONE_LABEL.showing(classes, 1).tolist() == [False, True, True] and ONE_LABEL.is_teachable(classes, 2)


def test_a_smoothed_set_costs_what_a_mixed_one_does() -> None:
    shown, weights = torch.tensor([[True, False]]), torch.tensor([[0.5, 0.5], [2.0, 2.0]])
    logits = torch.tensor([[0.3, -0.2]])
    mixed = LABEL_SETS.summed_loss(logits, torch.tensor([[0.5, 0.5]]), weights, 0.0)
    parts = [LABEL_SETS.summed_loss(logits, side, weights, 0.0) for side in (shown, ~shown)]
    assert torch.isfinite(mixed) and float(min(parts)) < float(mixed) < float(max(parts))


def test_folds_leave_every_class_in_training() -> None:
    for target, targets in ((ONE_LABEL, torch.tensor([0, 0, 0, 1])), (LABEL_SETS, torch.eye(4).bool()[:, :2])):
        fold = target.folds(targets, count=2, seed=0)
        for number in range(2):
            left = target.encode([], NAMES) if not len(targets) else targets[fold != number]
            assert target.weights(left, NAMES, "none").numel()
        assert NEVER in fold.tolist()


def test_what_a_target_has_not_got_is_refused_with_what_can(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {ability for ability in TABLE if not supports(ONE_LABEL, ability)} == {"sequences"}
    require(ONE_LABEL, "open_set")
    assert not supports(LABEL_SETS, "open_set")
    with pytest.raises(
        BadParameters,
        match="works on one label an example or sets of labels, and the data set has triggers; a trigger has",
    ):
        require(TRIGGER, "pooled_features")
    with pytest.raises(
        BadParameters, match=r"score: energy given; `neither` works on one label an example, .* sets of labels; give"
    ):
        require(LABEL_SETS, "open_set", "openness.score: energy given")


def test_an_answer_is_a_label_or_a_set_in_the_columns_that_the_target_names() -> None:
    probabilities = np.array([[0.6, 0.4], [0.3, 0.7]], np.float32)
    named = np.array([[True, False], [False, False]])
    label = ONE_LABEL.answered(NAMES, probabilities, named)
    assert tuple(label) == ONE_LABEL.answers and list(label["label"]) == ["ant", NEITHER]
    assert label["confidence"] == pytest.approx(np.array([0.6, 0.7]))
    assert ONE_LABEL.closed_set(probabilities, named).tolist() == [[True, False], [False, True]], (
        "bee, if it were known"
    )
    sets = LABEL_SETS.answered(NAMES, probabilities, named)
    assert tuple(sets) == LABEL_SETS.answers and sets["labels"] == [["ant"], []]
    assert LABEL_SETS.closed_set(probabilities, named).tolist() == named.tolist()


def test_each_confidence_has_an_outcome() -> None:
    probabilities = np.array([[0.6, 0.4], [0.3, 0.7]], np.float32)
    named, shown = np.array([[True, False], [False, True]]), np.array([[True, True], [True, False]])
    assert ONE_LABEL.outcomes(named, shown).tolist() == [[True], [False]]
    assert LABEL_SETS.outcomes(named, shown).tolist() == shown.tolist()
    for target in (ONE_LABEL, LABEL_SETS):
        assert target.outcomes(named, shown).shape == target.confidences(probabilities).shape


@pytest.mark.parametrize("targets", [np.array([0, 1, 1]), np.array([[True, False], [True, True], [False, True]])])
def test_there_are_as_many_pairs_as_the_matrix_counts(targets: np.ndarray) -> None:
    probabilities = np.array([[0.6, 0.4], [0.7, 0.3], [0.2, 0.8]], np.float32)
    decided = None if targets.ndim == 1 else probabilities >= 0.5
    predictions = Predictions(NAMES, (b"x",) * 3, ("a.png",) * 3, targets, probabilities, decided)
    counts = np.zeros((2, 2), np.int64)
    for cell in predictions.target.pairs(predictions):
        counts[cell] += 1
    assert counts.tolist() == predictions.target.matrix(predictions)[0].tolist() and counts.sum() >= 3


def test_nobody_else_asks_which_target_it_is() -> None:
    """The API states the target as a fact; everybody else asks the border."""
    asking = [
        path.relative_to(ROOT).as_posix()
        for floor in ("thaw", "tasks", "flows")
        for path in (ROOT / floor).rglob("*.py")
        if ".exclusive" in path.read_text(encoding="utf-8") and "targets" not in path.parts
    ]
    assert asking == ["flows/serving/wording.py"]


def test_log_odds_are_those_of_the_probabilities_and_finite_where_these_are_rounded() -> None:
    logits = torch.randn(20, 3, generator=torch.Generator().manual_seed(1))
    for target in (ONE_LABEL, LABEL_SETS):
        share = target.probabilities(logits.double())
        assert torch.allclose(target.log_odds(logits), (share / (1 - share)).log())
    sure = torch.tensor([[60.0, 0.0, -60.0], [0.0, 0.0, 0.0]])
    assert float(ONE_LABEL.probabilities(sure)[0, 0]) == 1.0
    assert ONE_LABEL.log_odds(sure)[0].tolist() == pytest.approx([60.0, -60.0, -120.0])
    assert ONE_LABEL.log_odds(sure)[1].tolist() == pytest.approx([float(np.log(0.5))] * 3)
