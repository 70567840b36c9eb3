"""Thresholds by class: the best F1, and one half where nothing can be tuned."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from sklearn.metrics import f1_score

from thaw.targets.label_sets.target import LABEL_SETS
from thaw.targets.label_sets.thresholds import FEWEST, LEAST_F1, UNTUNED, tune_thresholds


@given(
    st_numpy.arrays(np.float32, (30,), elements=st.sampled_from([0.05, 0.1, 0.25, 0.5, 0.75, 0.9])), st.integers(0, 99)
)
def test_no_other_threshold_has_a_better_f1(probabilities: np.ndarray, seed: int) -> None:
    shown = np.random.default_rng(seed).random(30) < 0.4
    said, targets = torch.from_numpy(probabilities)[:, None], torch.from_numpy(shown)[:, None]
    (threshold,) = tune_thresholds(said, targets)
    if min(shown.sum(), (~shown).sum()) < FEWEST:
        assert threshold == UNTUNED
        return
    assert 0 < threshold < 1
    ours = f1_score(shown, LABEL_SETS.named(said, (threshold,))[:, 0].numpy())
    best = max(f1_score(shown, probabilities >= other, zero_division=0) for other in np.linspace(0.01, 0.99, 50))
    assert ours >= best - 1e-9 or (best < LEAST_F1 and threshold == max(probabilities))


def test_what_is_too_rare_is_not_tuned() -> None:
    probabilities = torch.linspace(0.01, 0.2, 40)[:, None]
    rare = torch.arange(40)[:, None] >= 40 - (FEWEST - 1)
    assert tune_thresholds(probabilities, rare) == (UNTUNED,)
    assert tune_thresholds(probabilities, ~rare) == (UNTUNED,)
    enough = torch.arange(40)[:, None] >= 40 - FEWEST
    (tuned,) = tune_thresholds(probabilities, enough)
    assert torch.equal(LABEL_SETS.named(probabilities, (tuned,)), enough)


def test_a_class_that_the_ranking_does_not_know_is_not_named_on_every_row() -> None:
    """The best F1 of two rows at the end of a hundred is that of naming all."""
    probabilities = torch.linspace(0.2, 0.01, 100)[:, None]
    last = torch.arange(100)[:, None] >= 98
    (threshold,) = tune_thresholds(probabilities, last)
    assert LABEL_SETS.named(probabilities, (threshold,)).sum() == 1
