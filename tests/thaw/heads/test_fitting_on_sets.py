"""Heads for label sets on real pairs of digits."""

import pytest
import torch
from digit_pairs import NAMES, pair_features
from sklearn.metrics import f1_score

from thaw.foundation.errors import BadArtifact, BadManifest
from thaw.heads import fit_head
from thaw.params.sections import HeadParams
from thaw.params.values.strategy import HeadKind
from thaw.targets.label_sets.thresholds import UNTUNED
from thaw.targets.labelled import LabelledFeatures, label_views

PARAMS = HeadParams(l2=(1e-2, 1e-1))


@pytest.fixture(scope="module")
def pairs() -> LabelledFeatures:
    return pair_features(500)


def test_thresholds_and_calibration_come_from_folds_and_hold_on_new_images(pairs: LabelledFeatures) -> None:
    train, test = pairs.rows(torch.arange(250)), pairs.rows(torch.arange(250, 500))
    head = fit_head(train, None, PARAMS)
    said = head.probabilities(test.features)
    assert head.thresholds is not None and len(head.thresholds) == len(NAMES)
    assert UNTUNED not in head.thresholds
    tuned = f1_score(test.targets, head.named(said), average="macro")
    assert tuned > f1_score(test.targets, said >= 0.5, average="macro", zero_division=0) + 0.02
    assert abs(float(said.mean()) - float(test.targets.float().mean())) < 0.03, (
        "probabilities are as frequent as labels"
    )
    again = fit_head(train, None, PARAMS)
    assert torch.equal(said, again.probabilities(test.features))
    assert again.thresholds == head.thresholds


def test_a_validation_split_takes_the_place_of_folds(pairs: LabelledFeatures) -> None:
    train, val = pairs.rows(torch.arange(200)), pairs.rows(torch.arange(200, 400))
    head = fit_head(train, val, PARAMS)
    other = fit_head(train, pairs.rows(torch.arange(400, 500)), PARAMS)
    assert head.thresholds != other.thresholds
    assert sum(trial.chosen for trial in head.trials) == 1


def test_weights_change_what_is_learnt_but_not_how_frequent_a_class_looks(pairs: LabelledFeatures) -> None:
    train = pairs.rows(torch.arange(250))
    shares = [
        float(
            fit_head(train, None, PARAMS.model_copy(update={"class_weights": kind}))
            .probabilities(pairs.features)
            .mean()
        )
        for kind in ("balanced", "none")
    ]
    assert shares[0] == pytest.approx(shares[1], abs=0.02)


def test_where_nothing_can_be_held_out_nothing_is_tuned() -> None:
    few = LabelledFeatures(torch.eye(2), torch.tensor([[True, False], [False, True]]), ("ant", "bee"))
    head = fit_head(few, None, PARAMS)
    assert (head.temperature, head.thresholds) == (1.0, (UNTUNED, UNTUNED))
    assert head.trials[0].setting.l2 == max(PARAMS.l2)
    assert head.named(head.probabilities(few.features)).tolist() == few.targets.tolist()


def test_views_share_a_fold_and_only_the_image_itself_judges(pairs: LabelledFeatures) -> None:
    features = torch.stack([pairs.features[:60], pairs.features[:60] + 0.01], 1)
    seen = label_views(features, pairs.targets[:60], NAMES)
    assert len(seen) == 120
    assert len(seen.judging()) == 60
    assert torch.equal(seen.judging().features, pairs.features[:60])
    assert seen.groups is not None
    assert torch.equal(seen.groups[::2], seen.groups[1::2])


@pytest.mark.parametrize("kind", ["mlp", "knn"])
def test_every_kind_of_head_finds_sets(kind: HeadKind, pairs: LabelledFeatures) -> None:
    train, test = pairs.rows(torch.arange(250)), pairs.rows(torch.arange(250, 500))
    params = HeadParams(l2=(1e-2,), hidden=(32,), epochs=40, neighbours=(1, 5, 15), folds=3)
    head = fit_head(train, None, params, kind)
    said = head.probabilities(test.features)
    assert head.thresholds is not None and head.shifts is not None
    always = f1_score(test.targets, torch.ones_like(test.targets), average="macro")
    assert f1_score(test.targets, head.named(said), average="macro") > always + 0.1
    assert abs(float(said.mean()) - float(test.targets.float().mean())) < 0.03
    again = fit_head(train, None, params, kind)
    assert torch.equal(said, again.probabilities(test.features)) and again.trials == head.trials


def test_what_cannot_be_learnt_is_refused_by_name() -> None:
    features = torch.randn(6, 3)
    always = torch.tensor([[True, number % 2 == 0] for number in range(6)])
    with pytest.raises(BadManifest, match="not of 'ant'"):
        fit_head(LabelledFeatures(features, always, ("ant", "bee")), None, PARAMS)
    with pytest.raises(BadManifest, match="only"):
        fit_head(LabelledFeatures(features, always[:, 1:], ("bee",)), None, PARAMS)
    broken = LabelledFeatures(features / 0, always, ("ant", "bee"))
    with pytest.raises(BadArtifact, match="not finite"):
        fit_head(broken, None, PARAMS)
