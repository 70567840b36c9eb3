"""Fitting a head: the choice of its setting, its calibration, and what it refuses."""

import pytest
import torch
import torch.nn.functional as F

from thaw.foundation.errors import BadArtifact, BadManifest
from thaw.heads import FittedHead, Setting, fit_head
from thaw.params.sections import HeadParams
from thaw.params.values.strategy import HeadKind
from thaw.targets.labelled import LabelledFeatures

KINDS: tuple[HeadKind, ...] = ("linear", "knn", "mlp")


def params(**changes: object) -> HeadParams:
    quick = {"hidden": (32,), "epochs": 20, "l2": (1e-4, 1e-2, 1.0)}
    return HeadParams.model_validate({**quick, **changes})


def accuracy(head: FittedHead, data: LabelledFeatures) -> float:
    return float((head.logits(data.features).argmax(1) == data.targets).float().mean())


def chosen(head: FittedHead) -> Setting:
    (trial,) = (trial for trial in head.trials if trial.chosen)
    return trial.setting


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("with_val", [True, False])
def test_every_kind_reads_handwriting(
    kind: HeadKind, with_val: bool, train: LabelledFeatures, val: LabelledFeatures, unseen: LabelledFeatures
) -> None:
    head = fit_head(train, val if with_val else None, params(), kind)
    assert head.kind == kind
    assert accuracy(head, unseen) > {"linear": 0.90, "knn": 0.88, "mlp": 0.85}[kind]
    probabilities = head.probabilities(unseen.features)
    assert probabilities.dtype == torch.float32
    assert torch.allclose(probabilities.sum(1), torch.ones(len(unseen)), atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_chosen_setting_has_the_lowest_log_loss(
    kind: HeadKind, train: LabelledFeatures, val: LabelledFeatures
) -> None:
    head = fit_head(train, val, params(), kind)
    losses = {trial.setting: trial.log_loss for trial in head.trials if trial.log_loss is not None}
    assert losses[chosen(head)] == pytest.approx(min(losses.values()), abs=1e-5)
    assert len(losses) > 2


def test_the_stated_log_loss_and_accuracy_are_those_on_validation(
    train: LabelledFeatures, val: LabelledFeatures
) -> None:
    head = fit_head(train, val, params(l2=(1e-2,), class_weights="none"))
    (trial,) = head.trials
    assert trial.log_loss == pytest.approx(float(F.cross_entropy(head.logits(val.features), val.targets)), rel=1e-3)
    assert trial.accuracy == pytest.approx(accuracy(head, val))


def test_no_rows_of_validation_are_as_none(few: LabelledFeatures) -> None:
    one, other = (fit_head(few, val, params()) for val in (None, few.rows(torch.arange(0))))
    assert one.trials == other.trials


def test_ties_go_to_the_stronger_regularisation() -> None:
    """Features that say nothing: every strength has the same loss."""
    data = LabelledFeatures(torch.ones(20, 4), torch.arange(20) % 2, ("a", "b"))
    assert chosen(fit_head(data, data, params())).l2 == 1.0


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_inputs_give_the_same_head(kind: HeadKind, few: LabelledFeatures) -> None:
    one, other = (fit_head(few, None, params(), kind) for _ in range(2))
    assert torch.equal(one.logits(few.features), other.logits(few.features))
    assert (one.trials, one.temperature) == (other.trials, other.temperature)


@pytest.mark.parametrize("kind", KINDS)
def test_scaling_all_features_changes_no_prediction(
    kind: HeadKind, train: LabelledFeatures, val: LabelledFeatures, unseen: LabelledFeatures
) -> None:
    scale = 2.0 ** (torch.arange(64) % 30 - 15)
    plain = fit_head(train, val, params(), kind)
    changed = [LabelledFeatures(part.features * scale, part.targets, part.class_names) for part in (train, val)]
    scaled = fit_head(changed[0], changed[1], params(), kind)
    assert torch.equal(plain.logits(unseen.features).argmax(1), scaled.logits(unseen.features * scale).argmax(1))


@pytest.mark.parametrize("kind", ["linear", "knn"])
def test_the_order_of_the_rows_changes_nothing_material(
    kind: HeadKind, train: LabelledFeatures, val: LabelledFeatures, unseen: LabelledFeatures
) -> None:
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))
    one, other = (fit_head(data, val, params(), kind) for data in (train, train.rows(order)))
    assert chosen(one) == chosen(other)
    same = one.logits(unseen.features).argmax(1) == other.logits(unseen.features).argmax(1)
    assert same.float().mean() > 0.995


def test_balanced_weights_help_the_rare_classes(digits: LabelledFeatures, unseen: LabelledFeatures) -> None:
    """Of the classes 5 to 9 there are 3 images each, of the others about 100."""
    seen = digits.rows(torch.arange(1000))
    rows = [torch.nonzero(seen.targets == number).flatten()[: 3 if number >= 5 else None] for number in range(10)]
    skewed = seen.rows(torch.cat(rows))
    rare = unseen.rows(unseen.targets >= 5)
    recall = {
        weights: accuracy(fit_head(skewed, None, params(class_weights=weights, l2=(1e-2,))), rare)
        for weights in ("balanced", "none")
    }
    assert recall["balanced"] > recall["none"] + 0.05


@pytest.mark.parametrize("kind", KINDS)
def test_a_class_of_one_row_is_trained_on_and_never_held_out(kind: HeadKind, train: LabelledFeatures) -> None:
    first_nine = torch.nonzero(train.targets == 9).flatten()[:1]
    lonely = train.rows(torch.cat([torch.nonzero(train.targets < 9).flatten(), first_nine]))
    head = fit_head(lonely, None, params(neighbours=(1,)), kind)
    assert all(trial.log_loss is not None and trial.log_loss < 5 for trial in head.trials)
    assert head.logits(train.features[first_nine]).argmax(1).item() == 9


@pytest.mark.parametrize("kind", KINDS)
def test_one_row_of_each_class_falls_back_to_the_strongest(kind: HeadKind, digits: LabelledFeatures) -> None:
    single = digits.rows(torch.arange(10))
    head = fit_head(single, None, params(), kind)
    (trial,) = head.trials
    assert (trial.chosen, trial.log_loss, trial.accuracy, head.temperature) == (True, None, None, 1.0)
    assert accuracy(head, single) > 0.85
    if kind != "knn":
        assert trial.setting.l2 == 1.0


def test_groups_are_held_out_together() -> None:
    """Copies of a row with a random label: only folds that keep copies together see that nothing can be learnt."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(60, 40, generator=generator).repeat_interleave(4, 0)
    targets = torch.randint(0, 2, (60,), generator=generator).repeat_interleave(4)
    data = LabelledFeatures(features, targets, ("a", "b"), groups=torch.arange(60).repeat_interleave(4))
    alone = LabelledFeatures(features, targets, ("a", "b"))
    reached = [fit_head(rows, None, params(neighbours=(1,)), "knn").trials[0].accuracy for rows in (data, alone)]
    assert reached[0] is not None
    assert reached[0] < 0.7
    assert reached[1] == 1.0


def test_cross_validated_probabilities_are_honest(few: LabelledFeatures, unseen: LabelledFeatures) -> None:
    head = fit_head(few, None, params(l2=(1e-6,)))  # far too sure of itself
    raw = F.cross_entropy(head.logits(unseen.features), unseen.targets)
    calibrated = F.nll_loss(head.probabilities(unseen.features).log(), unseen.targets)
    assert head.temperature > 1.5
    assert calibrated < raw


@pytest.mark.parametrize("kind", KINDS)
def test_logits_that_do_not_fit_in_memory_are_computed_again(
    kind: HeadKind, few: LabelledFeatures, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = fit_head(few, None, params(), kind)
    monkeypatch.setattr("thaw.heads.fitting.KEPT", 0)
    again = fit_head(few, None, params(), kind)
    assert (again.trials, again.temperature) == (kept.trials, pytest.approx(kept.temperature, rel=1e-3))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_features_that_are_not_finite_are_refused(bad: float, few: LabelledFeatures) -> None:
    features = few.features.clone()
    features[3, 7] = bad
    features[4, 0] = bad
    broken = LabelledFeatures(features, few.targets, few.class_names)
    with pytest.raises(BadArtifact, match="2 of 50 examples"):
        fit_head(broken, None, params())
    with pytest.raises(BadArtifact, match="2 of 50 examples"):
        fit_head(few, broken, params())


def test_features_near_the_end_of_float32_are_not_called_infinite(few: LabelledFeatures) -> None:
    huge = LabelledFeatures(few.features * 1e36, few.targets, few.class_names)
    assert accuracy(fit_head(huge, None, params()), huge) > 0.9


def test_classes_without_rows_are_refused_by_name(few: LabelledFeatures) -> None:
    with pytest.raises(BadManifest, match="'9'"):
        fit_head(few.rows(few.targets != 9), None, params())
    with pytest.raises(BadManifest, match="two classes"):
        fit_head(LabelledFeatures(torch.rand(3, 2), torch.zeros(3, dtype=torch.int64), ("a",)), None, params())


def test_the_number_of_threads_is_left_as_it_was(few: LabelledFeatures) -> None:
    before = torch.get_num_threads()
    fit_head(few, None, params())
    assert torch.get_num_threads() == before
