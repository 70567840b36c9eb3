"""Folds: who is learnt from, who judges."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from thaw.strategies.advice.pool import Pool, draw_folds


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    rows = draw(st.integers(4, 40))
    targets = torch.tensor([0, 1, *draw(st.lists(st.integers(0, 1), min_size=rows - 2, max_size=rows - 2))])
    groups = draw(st.none() | st.lists(st.integers(0, 9), min_size=rows, max_size=rows).map(torch.tensor))
    learns = torch.tensor([True, True, *draw(st.lists(st.booleans(), min_size=rows - 2, max_size=rows - 2))])
    return Pool({"x": torch.zeros(rows, 1)}, targets, ("a", "b"), groups, learns if draw(st.booleans()) else None)


@given(pools(), st.integers(2, 5), st.integers(0, 3))
def test_no_row_judges_a_model_that_has_seen_it_or_its_group(pool: Pool, folds: int, seed: int) -> None:
    drawn = draw_folds(pool, folds=folds, repeats=2, seed=seed)
    for repeat in (0, 1):
        judged = torch.cat([torch.empty(0, dtype=torch.int64), *(one.judge for one in drawn if one.repeat == repeat)])
        assert len(judged) == len(judged.unique())
    judged_ever = {row for fold in drawn for row in fold.judge.tolist()}
    for fold in drawn:
        assert not set(fold.learn.tolist()) & set(fold.judge.tolist())
        assert set(pool.targets[fold.learn].tolist()) == {0, 1}, "every class is left to learn from"
        assert pool.learns is None or bool(pool.learns[fold.learn].all())
        if pool.groups is not None:
            learners = {int(pool.groups[row]) for row in fold.judge if pool.learns is None or pool.learns[row]}
            always = {row for row in fold.learn.tolist() if row not in judged_ever}
            assert not learners & {int(pool.groups[row]) for row in fold.learn.tolist() if row not in always}


def test_rows_that_only_judge_are_judged_once_a_draw() -> None:
    learns = torch.arange(20) < 8
    pool = Pool({"x": torch.zeros(20, 1)}, torch.arange(20) % 2, ("a", "b"), learns=learns)
    drawn = draw_folds(pool, folds=4, repeats=1, seed=0)
    assert sorted(torch.cat([fold.judge for fold in drawn]).tolist()) == list(range(20))


def test_a_class_of_one_row_is_never_judged_and_nothing_at_all_gives_no_folds() -> None:
    pool = Pool({"x": torch.zeros(2, 1)}, torch.tensor([0, 1]), ("a", "b"))
    assert draw_folds(pool, folds=5, repeats=3, seed=0) == ()
