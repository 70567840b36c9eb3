"""Views of images as rows: each image counts once, stays in one fold, and is judged as it is."""

import pytest
import torch

from thaw.heads import fit_head
from thaw.params.sections import HeadParams
from thaw.params.values.strategy import HeadKind
from thaw.targets.labelled import LabelledFeatures, label_views
from thaw.targets.one_label.folds import assign_folds

NAMES = ("a", "b")


def views(images: int, count: int, *, noise: float = 0.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Two classes apart, [images, count, 6], and their targets."""
    generator = torch.Generator().manual_seed(0)
    targets = torch.arange(images) % 2
    base = torch.randn(images, 1, 6, generator=generator) + 1.5 * targets.view(-1, 1, 1)
    return base + noise * torch.randn(images, count, 6, generator=generator), targets


def test_one_view_is_nothing_special() -> None:
    features, targets = views(10, 1)
    found = label_views(features, targets, NAMES)
    assert torch.equal(found.features, features[:, 0]) and found.groups is None and found.judging() is found


def test_views_share_target_and_group_and_only_the_first_judges() -> None:
    features, targets = views(4, 3, noise=1)
    found = label_views(features, targets, NAMES, torch.tensor([7, 7, 8, 9]))
    assert len(found) == 12
    assert found.targets.tolist() == [0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1]
    assert found.groups is not None and found.groups.tolist() == [7] * 6 + [8] * 3 + [9] * 3
    assert torch.equal(found.judging().features, features[:, 0])


def test_no_fold_parts_the_views_of_an_image() -> None:
    features, targets = views(40, 3, noise=1)
    found = label_views(features, targets, NAMES)
    fold = assign_folds(found.targets, folds=5, seed=0, groups=found.groups).view(40, 3)
    assert bool((fold == fold[:, :1]).all())


@pytest.mark.parametrize("kind", ["linear", "mlp", "knn"])
def test_every_kind_of_head_trains_on_views(kind: HeadKind) -> None:
    features, targets = views(60, 2, noise=0.3)
    params = HeadParams(hidden=(8,), epochs=20, neighbours=(3, 5))
    head = fit_head(label_views(features, targets, NAMES), None, params, kind)
    (trial,) = (trial for trial in head.trials if trial.chosen)
    assert trial.accuracy is not None and trial.accuracy > 0.8
    assert round(trial.accuracy * 60, 6) == round(trial.accuracy * 60), "judged on 60 images, not on 120 rows"
    assert (head.logits(features[:, 0]).argmax(1) == targets).float().mean() > 0.8


def test_an_image_that_comes_twice_weighs_as_much_as_one_that_comes_once() -> None:
    features, targets = views(60, 1)
    once = fit_head(LabelledFeatures(features[:, 0], targets, NAMES), None, HeadParams(l2=(0.01,)))
    twice = fit_head(label_views(features.expand(-1, 2, -1), targets, NAMES), None, HeadParams(l2=(0.01,)))
    assert torch.allclose(once.logits(features[:, 0]), twice.logits(features[:, 0]), atol=1e-2)
