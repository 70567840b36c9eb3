"""What to label next."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from thaw.review.acquisition import choose_to_label
from thaw.targets.one_label.target import ONE_LABEL


def test_it_takes_what_the_head_is_unsure_of_and_one_of_each_kind() -> None:
    generator = torch.Generator().manual_seed(0)
    kinds = torch.arange(400) % 4
    features = 10 * torch.eye(4, 16)[kinds] + torch.randn(400, 16, generator=generator)
    unsure = kinds < 3  # the fourth kind is known
    probabilities = torch.where(unsure[:, None], torch.tensor([0.5, 0.45, 0.05]), torch.tensor([0.98, 0.01, 0.01]))
    doubt = ONE_LABEL.unsure(probabilities)
    chosen = choose_to_label(doubt, features, 3)
    assert sorted(int(kinds[one.row]) for one in chosen) == [0, 1, 2]
    assert all(abs(one.unsure - 0.95) < 1e-6 for one in chosen)
    assert choose_to_label(doubt, features, 3) == chosen, "the same inputs give the same choice"


@given(st.integers(0, 30), st.integers(0, 12), st.integers(0, 10))
def test_never_more_than_asked_for_and_never_twice(rows: int, count: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    unsure = torch.rand(rows, generator=generator)
    chosen = choose_to_label(unsure, torch.randn(rows, 4, generator=generator), count)
    assert len({one.row for one in chosen}) == len(chosen) == min(rows, count)
    assert [one.unsure for one in chosen] == sorted((one.unsure for one in chosen), reverse=True)


def test_a_head_that_is_sure_of_all_still_gets_a_choice() -> None:
    features = torch.randn(50, 4, generator=torch.Generator().manual_seed(0))
    assert len(choose_to_label(torch.zeros(50), features, 2)) == 2
