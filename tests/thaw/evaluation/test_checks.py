"""What can be held against a model without any other beside it."""

from pathlib import Path

import pytest
from registration import CLEAN

from thaw.dataset.manifest import Example
from thaw.evaluation.checks import Checks, Leakage, NearCopies, Suspects, count_leakage, read_checks, write_checks
from thaw.foundation.errors import BadArtifact


def row(number: int, group: str | None = None) -> Example:
    return Example(bytes([number]) * 32, f"{number}.png", "ant", "train", group, (8, 8, 3), 9)


def test_contents_and_groups_that_are_held_out_as_well_are_counted_once() -> None:
    learnt = [row(1), row(2, "a"), row(3, "b"), row(4, "b"), row(5)]
    held_out = [row(2, "z"), row(4, "b"), row(9)]
    assert count_leakage(learnt, held_out) == Leakage(learnt=5, copies=2, groups=1)


def test_examples_without_a_group_share_none() -> None:
    assert count_leakage([row(1)], [row(2)]) == Leakage(1, 0, 0)


def test_shares_of_nothing_are_zero() -> None:
    assert NearCopies(0, 0).share == Suspects(0, 0).share == 0
    assert NearCopies(4, 1).share == 0.25


@pytest.mark.parametrize("checks", [CLEAN, Checks(Leakage(1, 2, 3), NearCopies(4, 5), None)])
def test_the_file_holds_all_of_it(tmp_path: Path, checks: Checks) -> None:
    write_checks(checks, tmp_path / "checks.json")
    assert read_checks(tmp_path / "checks.json") == checks


@pytest.mark.parametrize("text", ["", "{}", '{"leakage": {"learnt": "many"}}'])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    (file := tmp_path / "checks.json").write_text(text)
    with pytest.raises(
        BadArtifact, match=r"checks.json holds no checks of this version; run `thaw run --stage evaluate`"
    ):
        read_checks(file)
