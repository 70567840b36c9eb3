"""Folds of a cross-validation."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from thaw.targets.one_label.folds import NEVER, assign_folds

TARGETS = st.lists(st.integers(0, 4), min_size=2, max_size=80).map(torch.tensor)


@given(targets=TARGETS, folds=st.integers(2, 7), seed=st.integers(0, 5))
def test_classes_are_dealt_out_evenly(targets: torch.Tensor, folds: int, seed: int) -> None:
    fold = assign_folds(targets, folds=folds, seed=seed)
    for number in targets.unique():
        held = fold[targets == number]
        if len(held) == 1:
            assert held.item() == NEVER
        else:
            counts = held.bincount(minlength=folds)
            assert counts.sum() == len(held)
            assert counts.max() - counts.min() <= 1


@given(targets=TARGETS, groups=st.integers(1, 12), folds=st.integers(2, 5), seed=st.integers(0, 5))
def test_training_always_has_every_class_and_groups_stay_together(
    targets: torch.Tensor, groups: int, folds: int, seed: int
) -> None:
    group = torch.randint(0, groups, targets.shape, generator=torch.Generator().manual_seed(seed))
    fold = assign_folds(targets, folds=folds, seed=seed, groups=group)
    for number in fold[fold != NEVER].unique():
        assert set(targets[fold != number].tolist()) == set(targets.tolist())
    for number in group.unique():
        held = fold[group == number]
        assert len(held[held != NEVER].unique()) <= 1


def test_groups_spread_over_the_folds() -> None:
    targets = torch.arange(100) % 2
    fold = assign_folds(targets, folds=5, seed=0, groups=torch.arange(100) // 4)
    assert fold.bincount().tolist() == [20] * 5


def test_the_seed_decides() -> None:
    targets = torch.arange(60) % 3
    assert torch.equal(assign_folds(targets, folds=5, seed=1), assign_folds(targets, folds=5, seed=1))
    assert not torch.equal(assign_folds(targets, folds=5, seed=1), assign_folds(targets, folds=5, seed=2))
