"""What the splits will lack is foreseen from names and groups, and from as few files as possible."""

from collections.abc import Callable
from pathlib import Path

import pytest

from thaw.dataset import foreseen as module
from thaw.dataset.candidates import Candidate, Source
from thaw.dataset.foreseen import expected_test_rows, foresee, spread_over
from thaw.dataset.places import Places
from thaw.dataset.splits import hashed_split
from thaw.foundation.files.atomic import digest_bytes
from thaw.params.sections import SplitParams

SHARES = SplitParams()


def rows(*candidates: Candidate) -> Source:
    return Source(candidates, ())


def of_split(split: str, start: int = 0) -> bytes:
    """Content that the hash puts into the split."""
    return next(
        content
        for number in range(start, start + 10_000)
        if hashed_split(digest=digest_bytes(content := str(number).encode()), group=None, shares=SHARES) == split
    )


def files(root: Path, **contents: bytes) -> Source:
    """Files `LABEL_NAME`, each with its label."""
    for name, content in contents.items():
        (root / name).write_bytes(content)
    return rows(*(Candidate(name, name.split("_")[0]) for name in contents))


def test_one_group_for_all_rows_leaves_a_split_empty(tmp_path: Path) -> None:
    source = rows(*(Candidate(str(place), "ab"[place % 2], group="all") for place in range(9)))
    found = foresee(source, Places(tmp_path), SHARES)
    said = found.why_untaught() or found.why_untested() or ""
    assert "all rows have the same group, and a group stays in one split" in said


def test_a_few_groups_that_leave_the_test_empty_are_counted(tmp_path: Path) -> None:
    groups = [name for name in "abcdefghijk" if hashed_split(digest=b"", group=name, shares=SHARES) == "train"][:3]
    source = rows(*(Candidate(f"{group}{label}", label, group=group) for group in groups for label in "xy"))
    said = foresee(source, Places(tmp_path), SHARES).why_untested() or ""
    assert said.startswith("no labelled file would be in the test; there are 3 groups")


@pytest.mark.parametrize("held_out", ["val", "test"])
def test_a_class_that_the_source_itself_holds_out_is_named(held_out: str, tmp_path: Path) -> None:
    source = rows(
        Candidate("1", "a", "train"),
        Candidate("2", "b", "train"),
        Candidate("3", "a", "test"),
        Candidate("4", "moth", held_out),
    )
    assert (foresee(source, Places(tmp_path), SHARES).why_untaught() or "").startswith(
        "no training example would show `moth` (1 file)"
    )


def test_a_rare_class_whose_content_the_hash_holds_out_is_named(tmp_path: Path) -> None:
    known = {"a_1": of_split("train"), "b_1": of_split("train", 100), "a_2": of_split("test", 200)}
    assert foresee(files(tmp_path, **known), Places(tmp_path), SHARES).why_untaught() is None
    lost = files(tmp_path, **known, rare_1=of_split("test", 300), rare_2=of_split("val", 400))
    assert (foresee(lost, Places(tmp_path), SHARES).why_untaught() or "").startswith(
        "no training example would show `rare` (2 files); add files"
    )
    assert foresee(lost, Places(tmp_path), SHARES, frozenset({"rare"})).why_untaught() is None, (
        "a correction may give it some"
    )


def test_a_label_that_every_file_shows_is_named(tmp_path: Path) -> None:
    sets = (("train", ("x",)), ("test", ("x", "y")), ("train", ("x", "y")))
    source = rows(*(Candidate(str(place), None, split, None, names) for place, (split, names) in enumerate(sets)))
    assert (foresee(source, Places(tmp_path), SHARES).why_untaught() or "").startswith("every file shows `x`")


def test_nothing_to_train_on_and_a_share_of_nothing_are_told(tmp_path: Path) -> None:
    source = rows(Candidate("1", "a", "test"), Candidate("2", "b", "test"))
    assert (foresee(source, Places(tmp_path), SHARES).why_untaught() or "").startswith(
        "no labelled file would be trained on"
    )
    kept = files(tmp_path, a_1=of_split("train"), b_1=of_split("train", 100))
    assert "raise dataset.splits.test" in (foresee(kept, Places(tmp_path), SplitParams(test=0)).why_untested() or "")


def test_few_files_are_read_and_missing_ones_do_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = files(tmp_path, **{f"{'ab'[place % 2]}_{place}": str(place).encode() for place in range(300)})
    read: list[bytes] = []

    def counted(digest: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
        return lambda content: (read.append(content), digest(content))[1]

    monkeypatch.setattr(module, "digest_bytes", counted(digest_bytes))
    (tmp_path / "a_0").unlink()
    found = foresee(many, Places(tmp_path), SHARES)
    assert found.why_untaught() is None and found.why_untested() is None
    assert len(read) < 40


def test_files_to_open_are_spread_over_the_source() -> None:
    candidates = [Candidate(str(place)) for place in range(100)]
    chosen = [int(each.path) for each in spread_over(candidates, 10)]
    assert len(chosen) == 10 and chosen[-1] >= 90
    assert len(spread_over(candidates[:3], 10)) == 3


def test_the_rows_of_the_test_are_counted_where_names_and_groups_decide_and_expected_where_contents_do() -> None:
    named = rows(Candidate("1", "a", "train"), Candidate("2", "b", "test"), Candidate("3", None, "test"))
    assert expected_test_rows(named, SHARES) == 1, "a file without a label tests nothing"
    assert expected_test_rows(rows(*(Candidate(str(place), "a") for place in range(50))), SHARES) == 10
    group = next(name for name in "abcdefghijklmnop" if hashed_split(digest=b"", group=name, shares=SHARES) == "test")
    grouped = (Candidate(f"{group}{place}", "a", group=group) for place in range(7))
    assert expected_test_rows(rows(*grouped, *(Candidate(str(place), "a") for place in range(50))), SHARES) == 17
