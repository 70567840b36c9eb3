"""Iterative stratification: what no fold may do to a class."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from thaw.targets.label_sets.folds import NEVER, assign_folds


@st.composite
def label_sets(draw: st.DrawFn) -> tuple[torch.Tensor, torch.Tensor | None]:
    rows, classes = draw(st.integers(2, 40)), draw(st.integers(1, 5))
    shown = draw(st.lists(st.lists(st.booleans(), min_size=classes, max_size=classes), min_size=rows, max_size=rows))
    groups = draw(st.none() | st.lists(st.integers(0, 6), min_size=rows, max_size=rows))
    return torch.tensor(shown), None if groups is None else torch.tensor(groups)


@given(label_sets(), st.integers(2, 6), st.integers(0, 3))
def test_no_fold_takes_all_of_a_class_or_tears_a_group(
    drawn: tuple[torch.Tensor, torch.Tensor | None], folds: int, seed: int
) -> None:
    targets, groups = drawn
    fold = assign_folds(targets, folds=folds, seed=seed, groups=groups)
    assert torch.equal(fold, assign_folds(targets, folds=folds, seed=seed, groups=groups))
    mixed = targets.any(0) & ~targets.all(0)
    for number in fold[fold != NEVER].unique():
        left = targets[fold != number]
        assert (left.any(0) & ~left.all(0))[mixed].all()
    if groups is not None:
        for group in groups.unique():
            assert len(fold[groups == group].unique()) == 1


def test_rare_classes_and_their_company_are_spread_evenly() -> None:
    generator = torch.Generator().manual_seed(0)
    targets = torch.rand(200, 6, generator=generator) < torch.tensor([0.05, 0.1, 0.2, 0.3, 0.5, 0.8])
    fold = assign_folds(targets, folds=5, seed=0)
    assert (fold != NEVER).all()
    assert fold.bincount().tolist() == [40] * 5
    shares = torch.stack([targets[fold == number].sum(0) for number in range(5)])
    assert (shares.amax(0) - shares.amin(0)).max() <= 2


def test_what_cannot_be_held_out_is_not() -> None:
    fold = assign_folds(torch.tensor([[True, False], [False, True]]), folds=2, seed=0)
    assert fold.tolist() == [NEVER, NEVER]
