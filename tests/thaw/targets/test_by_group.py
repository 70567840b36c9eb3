"""Every interval over groups: three copies of a row in one group tell as much as the row, and one group tells nothing."""

from dataclasses import replace

import numpy as np
import pytest
from evaluations import hostile_predictions
from registration import CLEAN

from thaw.foundation.statistics.bootstrap import Estimate, IntArray, Resampling
from thaw.foundation.statistics.clustered import each_its_own
from thaw.foundation.statistics.paired_proportions import paired_hits_interval
from thaw.gates.deciding import Evidence, decide
from thaw.gates.paired_test import measure
from thaw.gates.pairing import pair
from thaw.params.sections import PromotionParams
from thaw.strategies.certificate.paired import paired, score
from thaw.targets.one_label.target import ONE_LABEL
from thaw.targets.paired import headline_difference, mcnemar, paired_p
from thaw.targets.predictions import Predictions

FEW = Resampling(60)
COPIES = 3


def copied(found: Predictions, groups: IntArray | None) -> Predictions:
    """Three copies of each row, one after the other, with digests of their own."""
    rows = np.repeat(np.arange(len(found)), COPIES)
    return replace(
        found,
        digests=tuple(number.to_bytes(32, "big") for number in range(len(rows))),
        paths=tuple(f"{number}.png" for number in range(len(rows))),
        targets=found.targets[rows],
        probabilities=found.probabilities[rows],
        decided=None if found.decided is None else found.decided[rows],
        groups=groups,
    )


def grouped(found: Predictions) -> Predictions:
    return copied(found, np.repeat(np.arange(len(found)), COPIES))


def sets_of(found: Predictions) -> Predictions:
    return replace(found, targets=found.shown, decided=found.probabilities > 0.4)


def measured(found: Predictions) -> dict[str, Estimate]:
    return dict(vars(found.target.measure(found, bins=15, resampling=FEW)))


def ends(found: Estimate) -> object:
    return pytest.approx((found.value, found.low, found.high))


@pytest.mark.parametrize("sets", [False, True])
def test_metrics_of_copies_are_those_of_the_rows(sets: bool) -> None:
    rows = sets_of(hostile_predictions()) if sets else hostile_predictions()
    alone, copies, apart = (measured(each) for each in (rows, grouped(rows), copied(rows, None)))
    for name, found in alone.items():
        assert (copies[name].value, copies[name].low, copies[name].high) == ends(found), name
        assert apart[name].high - apart[name].low < found.high - found.low, (
            "rows that count as independent are too sure"
        )
    single = measured(replace(rows, groups=np.zeros(len(rows), np.int64)))
    assert all(each.low == 0 and each.high >= 1 for each in single.values())


def test_differences_of_copies_are_those_of_the_rows() -> None:
    random = np.random.default_rng(0)
    targets = random.integers(3, size=60)
    tables = [np.where(random.random((2, 60)) < share, targets, 0) for share in (0.9, 0.6)]
    named, shown = [np.eye(3, dtype=np.bool_)[each] for each in tables], np.eye(3, dtype=np.bool_)[targets]
    rows, groups = np.repeat(np.arange(60), COPIES), np.repeat(np.arange(60), COPIES)
    copies = [each[:, rows] for each in named]
    one, other = paired(*named, shown, FEW), paired(*copies, shown[rows], FEW, groups)
    assert (other.accuracy.value, other.accuracy.low, other.accuracy.high) == ends(one.accuracy)
    assert (other.macro_f1.value, other.macro_f1.low, other.macro_f1.high) == ends(one.macro_f1)
    assert score(named[0], shown, FEW, np.zeros(60, np.int64)).accuracy.low == 0
    tallies = [(each == shown).all(2)[..., None] for each in named]
    gain = headline_difference(ONE_LABEL, *tallies, FEW)
    again = headline_difference(ONE_LABEL, *(each[:, rows] for each in tallies), FEW, groups)
    assert (again.value, again.low, again.high) == ends(gain)


def test_the_test_of_signs_is_mcnemar_s_of_rows_and_counts_copies_once() -> None:
    random = np.random.default_rng(1)
    for _ in range(20):
        first, second = random.random(40) < 0.9, random.random(40) < 0.7
        known = mcnemar(int((first & ~second).sum()), int((second & ~first).sum()))
        assert paired_p(first, second, each_its_own(40)) == pytest.approx(known)
        assert paired_p(np.repeat(first, 3), np.repeat(second, 3), np.repeat(np.arange(40), 3)) == pytest.approx(known)
    assert paired_p(np.ones(9, np.bool_), np.zeros(9, np.bool_), np.zeros(9, np.int64)) == 1, (
        "one group has either sign"
    )
    uneven = paired_p(
        np.repeat([True, False], [6, 2]), np.repeat([False, True], [6, 2]), np.repeat([0, 1, 2], [4, 2, 2])
    )
    assert uneven == pytest.approx(6 / 8), "4 + 2 - 2 is 4: six of the eight signs of 4, 2 and 2 reach it"


def test_a_paired_share_of_copies_is_no_surer_than_that_of_the_rows() -> None:
    first, second = np.arange(50) < 45, np.arange(50) < 38
    alone = paired_hits_interval(first, second, None, 0.95)
    copies = [np.repeat(each, COPIES) for each in (first, second)]
    found = paired_hits_interval(*copies, np.repeat(np.arange(50), COPIES), 0.95)
    assert found.value == pytest.approx(alone.value)
    assert alone.low - 0.02 < found.low <= alone.low and alone.high <= found.high < alone.high + 0.02
    apart = paired_hits_interval(*copies, None, 0.95)
    assert apart.high - apart.low < 0.7 * (found.high - found.low)
    same = paired_hits_interval(copies[0], copies[0], np.repeat(np.arange(50), COPIES), 0.95)
    assert same.low < -0.05 and same.high == pytest.approx(-same.low), "as many rows as groups where none differs"
    one = paired_hits_interval(first, second, np.zeros(50, np.int64), 0.95)
    assert (one.low, one.high) == (-1, 1)


def test_gates_judge_copies_as_they_judge_the_rows() -> None:
    worse, better = hostile_predictions(), hostile_predictions()
    better = replace(
        better,
        probabilities=np.where(np.arange(60)[:, None] < 8, np.eye(3)[better.classes], better.probabilities).astype(
            np.float32
        ),
    )
    alone, copies = pair(worse, better), pair(grouped(worse), grouped(better))
    assert alone is not None and copies is not None
    one, other = measure(alone, FEW), measure(copies, FEW)
    assert other.groups == 60 and (other.f1_low, other.f1_high) == pytest.approx((one.f1_low, one.f1_high))
    assert other.mcnemar_p == pytest.approx(one.mcnemar_p)
    assert copies.independent(0.95) <= 60 and alone.independent(0.95) == 60

    def verdicts(groups: IntArray | None) -> list[str]:
        sides = (copied(each, groups) for each in (worse, better))
        outcomes = decide(Evidence(*sides, CLEAN), PromotionParams(rule="better"), FEW).outcomes
        return [outcome.words for outcome in outcomes if outcome.gate == "paired test"]

    few = np.repeat(np.arange(4), 45)
    assert "180 test rows in common" in verdicts(None)[0] and "McNemar" in verdicts(None)[0]
    assert "180 test rows of 4 groups in common" in verdicts(few)[0] and "not shown to be better" in verdicts(few)[0]
