"""The table that goes out to a person and comes back."""

from pathlib import Path

import pytest
from review_pages import FINDINGS

from thaw.dataset.corrections import LEAVE_OUT
from thaw.foundation.errors import BadTable
from thaw.foundation.files.csv_tables import read_rows, write_rows
from thaw.review.findings import COLUMNS, read_decisions, write_findings
from thaw.targets.label_sets.target import LABEL_SETS
from thaw.targets.one_label.target import ONE_LABEL

KNOWN = {b"\xaa" * 32: "one.png", b"\xbb" * 32: "two.png"}
ONE, TWO = "a" * 64, "b" * 64


def table(path: Path, *rows: tuple[str, str]) -> Path:
    write_rows(path / "review.csv", ("path", "digest", "corrected"), [("x", *row) for row in rows])
    return path / "review.csv"


def test_what_is_written_asks_for_nothing_yet(tmp_path: Path) -> None:
    path = tmp_path / "review.csv"
    write_findings(FINDINGS, path)
    rows = read_rows(path, COLUMNS)
    assert [row["path"] for row in rows] == [one.path for one in FINDINGS]
    assert rows[0]["score"] == "0.0040" and rows[1]["probability"] == ""
    assert read_decisions(path, {}, (), (), ONE_LABEL) == []


def test_filled_in_it_says_what_is_right(tmp_path: Path) -> None:
    file = table(tmp_path, (ONE, " bees "), (TWO, "(Remove)"), (ONE, "bees"), (ONE, ""))
    found = read_decisions(file, KNOWN, ("ants", "bees"), (), ONE_LABEL)
    assert [(one.digest, one.label, one.path) for one in found] == [
        (b"\xaa" * 32, "bees", "one.png"),
        (b"\xbb" * 32, None, "two.png"),
    ]


def test_a_class_whose_name_has_spaces_around_it_is_kept(tmp_path: Path) -> None:
    (found,) = read_decisions(table(tmp_path, (ONE, "ants")), KNOWN, ("ants ", "bees"), (), ONE_LABEL)
    assert found.label == "ants "


@pytest.mark.parametrize(
    ("rows", "new", "says"),
    [
        ([(ONE, "ants"), (ONE, "bees")], (), "has two decisions on one.png: ants and bees"),
        ([("c" * 64, "ants")], (), "1 examples that the manifest does not hold"),
        ([("no digest", "ants")], (), "is no digest"),
        ([(ONE, "wasps")], (), "names unknown classes: `wasps`.*--new-class 'wasps'"),
        ([(ONE, "Ants")], ("Ants",), "differs from `ants` only by case"),
    ],
)
def test_what_cannot_be_is_refused(
    tmp_path: Path, rows: list[tuple[str, str]], new: tuple[str, ...], says: str
) -> None:
    with pytest.raises(BadTable, match=says):
        read_decisions(table(tmp_path, *rows), KNOWN, ("ants", "bees"), new, ONE_LABEL)


def test_a_new_class_may_be_named(tmp_path: Path) -> None:
    (found,) = read_decisions(table(tmp_path, (ONE, "wasps")), KNOWN, ("ants", "bees"), ("wasps",), ONE_LABEL)
    assert found.label == "wasps"


def test_sets_are_read_name_by_name(tmp_path: Path) -> None:
    rows = ((ONE, "bees| ants"), (TWO, "|"))
    found = read_decisions(table(tmp_path, *rows), KNOWN, ("ants", "bees"), (), LABEL_SETS)
    assert [one.label for one in found] == ["ants|bees", "|"]
    with pytest.raises(BadTable, match="unknown classes: `wasps`"):
        read_decisions(table(tmp_path, (ONE, "bees|wasps")), KNOWN, ("ants", "bees"), (), LABEL_SETS)
    (out,) = read_decisions(table(tmp_path, (ONE, LEAVE_OUT)), KNOWN, ("ants", "bees"), (), LABEL_SETS)
    assert out.label is None
