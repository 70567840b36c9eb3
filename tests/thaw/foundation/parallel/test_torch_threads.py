"""How many threads torch computes with."""

import pytest
import torch

from thaw.foundation.parallel.torch_threads import SMALL, threads, threads_for


def test_the_number_is_kept_within_and_restored_after() -> None:
    before = torch.get_num_threads()
    with threads(1):
        assert torch.get_num_threads() == 1
        with threads(before):
            assert torch.get_num_threads() == before
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


def test_an_error_within_restores_it_too() -> None:
    before = torch.get_num_threads()
    with pytest.raises(ValueError), threads(before + 1):
        raise ValueError
    assert torch.get_num_threads() == before


def test_small_matrices_get_one_thread() -> None:
    with threads(2):
        assert (threads_for(SMALL - 1), threads_for(SMALL)) == (1, 2)
