"""Names of classes that mean something else."""

from pathlib import Path

import pytest

from thaw.dataset.candidates import Candidate
from thaw.dataset.class_names import check_class_names, doubts_about_names
from thaw.dataset.folders import read_source
from thaw.foundation.errors import BadSource


@pytest.mark.parametrize(
    "names",
    [
        ("cat", "cat\u200b"),
        ("cat", "\ufeffcat"),
        ("cat", "c\u00adat"),
        ("golden retriever", "golden  retriever"),
        ("golden retriever", "golden\u00a0retriever"),
        ("golden retriever", "Golden\tRetriever"),
    ],
    ids=ascii,
)
def test_names_that_differ_by_what_is_not_seen_are_refused_with_their_code_points(names: tuple[str, str]) -> None:
    with pytest.raises(BadSource, match="invisible characters") as refused:
        check_class_names(Path("x"), names)
    odd = [letter for letter in "".join(names) if not letter.isprintable()]
    assert all(ascii(letter)[1:-1] in str(refused.value) for letter in odd)


def test_invisible_characters_around_a_label_of_a_listing_are_no_part_of_it(tmp_path: Path) -> None:
    for name in ("1", "2", "3"):
        (tmp_path / name).touch()
    (tmp_path / "list.csv").write_text("path,label,split\n1,\u200bcat\u200e,train\u200b\n2,cat,train\n3,\u200b,train\n")
    assert [one.label for one in read_source(tmp_path, "list.csv").candidates] == ["cat", "cat", None]


def doubts(*labels: str | None, listed: bool = True) -> list[str]:
    rows = [Candidate(f"{number}", label) for number, label in enumerate(labels)]
    return list(doubts_about_names(rows, listed=listed))


@pytest.mark.parametrize("name", ["nan", "NaN", "N/A", "#N/A", "NA", "None", "NULL", "<NA>", "-", "?", "missing"])
def test_words_for_a_missing_value_are_warned_of(name: str) -> None:
    (warning,) = doubts("cat", name, name)
    assert f"are read as classes: `{name}` (2 files)." in warning
    assert "leave the cell empty; if they are classes, nothing is to be done" in warning
    assert "put the files beside the class folders" in doubts("cat", name, listed=False)[0]


def test_a_missing_group_is_warned_of_because_it_ties_all_its_rows_together() -> None:
    rows = [Candidate(str(number), "cat", group="nan") for number in range(3)]
    assert "are read as groups: `nan` (3 files)." in next(iter(doubts_about_names(rows, listed=True)))


def test_several_words_for_a_missing_value_are_told_in_one_sentence() -> None:
    (warning,) = doubts("cat", "nan", "N/A", "None", "nan")
    assert "are read as classes: `N/A` (1 file), `None` (1 file), `nan` (2 files)." in warning


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("ant|bee", "If `|` separates several labels, name the column labels."),
        ("['ant', 'bee']", "write the names with `|` between them into a column labels"),
        ('{"choices": ["ant", "bee"]}', "write the names with `|` between them into a column labels"),
    ],
)
def test_several_labels_in_one_are_warned_of(label: str, words: str) -> None:
    assert words in doubts("cat", label)[0]


def test_names_that_differ_by_how_words_are_joined_are_warned_of() -> None:
    (warning,) = doubts("golden retriever", "golden_retriever", "GoldenRetriever", "cat")
    assert warning.startswith("The classes `GoldenRetriever`, `golden retriever` and `golden_retriever` differ only by")


def test_classes_that_are_the_same_number_are_warned_of() -> None:
    (warning,) = doubts("1", "1.0", "01", "2", "1e0")
    assert warning.startswith("The classes `01`, `1` and `1.0` are the same number.")


def test_ordinary_names_are_not_warned_of() -> None:
    assert doubts("cat", "dog", "unknown", "nano", "A", "a", "1", "10", "_", "none of these", None) == []
