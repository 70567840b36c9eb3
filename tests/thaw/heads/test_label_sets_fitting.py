"""Heads for label sets on real pairs of digits."""

import pytest
import torch
from digit_pairs import NAMES, pair_features
from sklearn.metrics import f1_score

from thaw.foundation.errors import BadArtifact, BadManifest
from thaw.heads.label_sets_fitting import fit_label_set_head
from thaw.params.sections import HeadParams
from thaw.targets.label_sets.labelled import LabelSetFeatures, label_set_views
from thaw.targets.label_sets.thresholds import UNTUNED

PARAMS = HeadParams(l2=(1e-2, 1e-1))


@pytest.fixture(scope="module")
def pairs() -> LabelSetFeatures:
    return pair_features(500)


def test_thresholds_and_calibration_come_from_folds_and_hold_on_new_images(pairs: LabelSetFeatures) -> None:
    train, test = pairs.rows(torch.arange(250)), pairs.rows(torch.arange(250, 500))
    head = fit_label_set_head(train, None, PARAMS)
    said = head.probabilities(test.features)
    assert len(head.thresholds) == len(NAMES)
    assert UNTUNED not in head.thresholds
    tuned = f1_score(test.targets, head.named(said), average="macro")
    assert tuned > f1_score(test.targets, said >= 0.5, average="macro", zero_division=0) + 0.02
    assert abs(float(said.mean()) - float(test.targets.float().mean())) < 0.03, (
        "probabilities are as frequent as labels"
    )
    again = fit_label_set_head(train, None, PARAMS)
    assert torch.equal(said, again.probabilities(test.features))
    assert again.thresholds == head.thresholds


def test_a_validation_split_takes_the_place_of_folds(pairs: LabelSetFeatures) -> None:
    train, val = pairs.rows(torch.arange(200)), pairs.rows(torch.arange(200, 400))
    head = fit_label_set_head(train, val, PARAMS)
    other = fit_label_set_head(train, pairs.rows(torch.arange(400, 500)), PARAMS)
    assert head.thresholds != other.thresholds
    assert sum(trial.chosen for trial in head.trials) == 1


def test_weights_change_what_is_learnt_but_not_how_frequent_a_class_looks(pairs: LabelSetFeatures) -> None:
    train = pairs.rows(torch.arange(250))
    shares = [
        float(
            fit_label_set_head(train, None, PARAMS.model_copy(update={"class_weights": kind}))
            .probabilities(pairs.features)
            .mean()
        )
        for kind in ("balanced", "none")
    ]
    assert shares[0] == pytest.approx(shares[1], abs=0.02)


def test_where_nothing_can_be_held_out_nothing_is_tuned() -> None:
    few = LabelSetFeatures(torch.eye(2), torch.tensor([[True, False], [False, True]]), ("ant", "bee"))
    head = fit_label_set_head(few, None, PARAMS)
    assert (head.temperature, head.thresholds) == (1.0, (UNTUNED, UNTUNED))
    assert head.trials[0].setting.l2 == max(PARAMS.l2)
    assert head.named(head.probabilities(few.features)).tolist() == few.targets.tolist()


def test_views_share_a_fold_and_only_the_image_itself_judges(pairs: LabelSetFeatures) -> None:
    features = torch.stack([pairs.features[:60], pairs.features[:60] + 0.01], 1)
    seen = label_set_views(features, pairs.targets[:60], NAMES)
    assert len(seen) == 120
    assert len(seen.judging()) == 60
    assert torch.equal(seen.judging().features, pairs.features[:60])
    assert seen.groups is not None
    assert torch.equal(seen.groups[::2], seen.groups[1::2])


def test_what_cannot_be_learnt_is_refused_by_name() -> None:
    features = torch.randn(6, 3)
    always = torch.tensor([[True, number % 2 == 0] for number in range(6)])
    with pytest.raises(BadManifest, match="not of 'ant'"):
        fit_label_set_head(LabelSetFeatures(features, always, ("ant", "bee")), None, PARAMS)
    with pytest.raises(BadManifest, match="only"):
        fit_label_set_head(LabelSetFeatures(features, always[:, 1:], ("bee",)), None, PARAMS)
    broken = LabelSetFeatures(features / 0, always, ("ant", "bee"))
    with pytest.raises(BadArtifact, match="not finite"):
        fit_label_set_head(broken, None, PARAMS)
