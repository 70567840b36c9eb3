"""Tuning keeps what it promises on the rows that it was tuned on, and takes the score that rejects the fewest known ones."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from thaw.foundation.statistics.binomial_bound import rows_needed
from thaw.heads.open_set.fitted import Tuning
from thaw.heads.open_set.rounds import Collected
from thaw.heads.open_set.scores import ScoreName
from thaw.heads.open_set.tuning import tune

NAMES = ("a", "b")


def collected(known: list[float], unknown: list[float]) -> Collected:
    """As a round gives it whose known rows are `known`."""
    held, ordered = torch.tensor(known), np.sort(np.array(known, np.float32))
    scored = np.array(unknown, np.float32)
    below, reached = (np.searchsorted(ordered, scored, side=side) / len(ordered) for side in ("left", "right"))
    return Collected(held, below, reached, torch.arange(len(unknown)) % 2)


def tuned(parts: dict[ScoreName, Collected], rate: float = 0.05, confidence: float = 0.95) -> Tuning:
    return tune(parts, NAMES, rate=rate, confidence=confidence, unknown="classes left out")


SCORES = st.lists(st.floats(-5, 5, width=32) | st.sampled_from([0.0, 1.0]), min_size=1, max_size=150)


@given(SCORES, SCORES, SCORES, st.floats(0.01, 0.4), st.floats(0.6, 0.99))
def test_no_more_than_the_rate_is_ever_accepted(
    known: list[float], unknown: list[float], other: list[float], rate: float, confidence: float
) -> None:
    pair = min(len(unknown), len(other))
    parts: dict[ScoreName, Collected] = {
        "energy": collected(known, unknown[:pair]), "neighbours": collected(known, other[:pair]),
    }  # fmt: skip
    found = tuned(parts, rate, confidence)
    for one in found.candidates:
        scored = {"energy": unknown, "neighbours": other}[one.score][:pair]
        assert one.false_accepts == pytest.approx(np.mean(np.array(scored, np.float32) >= np.float32(one.threshold)))
        assert one.false_accepts <= rate and one.false_accepts <= one.upper
        assert one.false_rejects == pytest.approx(np.mean(np.array(known, np.float32) < np.float32(one.threshold)))
        assert 0 <= one.auroc <= 1 and np.isfinite(one.threshold)
        assert one.curve[-1] == 0 and list(one.curve) == sorted(one.curve, reverse=True)
        if pair > found.needed:
            assert one.upper <= rate
    assert found.chosen.false_rejects == min(one.false_rejects for one in found.candidates)


@given(SCORES, SCORES, st.floats(0.01, 0.4), st.floats(0.01, 0.4))
def test_a_higher_rate_never_raises_the_threshold(known: list[float], unknown: list[float], a: float, b: float) -> None:
    low, high = (tuned({"energy": collected(known, unknown)}, rate).chosen for rate in sorted((a, b)))
    assert high.threshold <= low.threshold and high.false_rejects <= low.false_rejects


def test_auroc_is_scikit_learns() -> None:
    from sklearn.metrics import roc_auc_score

    random = np.random.default_rng(0)
    known, unknown = random.normal(1, 1, 80).round(1).tolist(), random.normal(0, 1, 50).round(1).tolist()
    exact = roc_auc_score([1] * 80 + [0] * 50, known + unknown)
    assert tuned({"energy": collected(known, unknown)}).chosen.auroc == pytest.approx(exact)


def test_bounds_of_several_scores_hold_together() -> None:
    part = collected([1.0] * 50, [0.0] * 60)
    alone, four = tuned({"energy": part}), tuned({"energy": part, "neighbours": part, "mahalanobis": part})
    assert alone.reached and alone.needed == 59
    assert not four.reached and four.needed == rows_needed(0.05, 1 - 0.05 / 3) > 60
    assert four.chosen.upper > alone.chosen.upper


def test_classes_are_listed_with_the_most_accepted_first() -> None:
    unknown = [9.0, 0.0] * 3 + [0.0] * 194
    found = tuned({"energy": collected([1.0] * 50, unknown)}, rate=0.1).chosen
    assert [(one.name, one.n, one.accepted) for one in found.classes] == [("a", 100, 0.03), ("b", 100, 0.0)]


def test_the_background_class_never_passes_where_it_is_the_most_probable() -> None:
    """All unknown rows score low: the threshold stays where another class wins."""
    part = collected([0.9] * 50 + [0.4], [0.01] * 80)
    found = tune({"background": part}, NAMES, rate=0.05, confidence=0.95, unknown="background").chosen
    assert found.threshold > 0.5
    assert found.false_rejects == pytest.approx(1 / 51) and found.false_accepts == 0


def test_known_rows_that_all_look_unknown_are_all_rejected() -> None:
    found = tuned({"energy": collected([0.0] * 20, [1.0] * 20)}).chosen
    assert found.false_rejects == 1 and found.false_accepts == 0 and found.threshold > 0
