"""Tables with a column for each finding are sets of labels, and -1 is what the reader says."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from thaw.dataset.candidates import Source
from thaw.dataset.finding_columns import FindingColumns, findings_of
from thaw.dataset.sources import source_of_kind
from thaw.foundation.errors import BadSource
from thaw.kinds.registry import kind_named
from thaw.params.sections import DatasetParams, Uncertain

# Of CheXpert, with its ways to write numbers.
TABLE = """Path,Sex,Age,No Finding,Edema,Pleural Effusion
a.png,Male,61,1.0,,
b.png,Female,44,,1.0,-1.0
c.png,Male,70,,1.0,1
d.png,Male,70,0,0,0
e.png,Male,33,,,
f.png,Male,33,,,x
"""
ALL = ("Edema", "Pleural Effusion", "No Finding")


def read(root: Path, names: tuple[str, ...] = ALL, uncertain: Uncertain = "ignored") -> Source:
    for name in "abcdef":
        (root / f"{name}.png").write_bytes(b"")
    (root / "train.csv").write_text(TABLE)
    return source_of_kind(kind_named("images"), root, "train.csv", findings=FindingColumns(names, uncertain))


def labels(source: Source) -> dict[str, tuple[str, ...] | None]:
    return {candidate.path[0]: candidate.labels for candidate in source.candidates}


@pytest.mark.parametrize(
    ("uncertain", "of_b", "told"),
    [
        ("ignored", None, "unlabelled"),
        ("zeros", ("Edema",), "read without the label"),
        ("ones", ("Edema", "Pleural Effusion"), "read with the label"),
    ],
)
def test_columns_are_a_set_of_labels(
    uncertain: Uncertain, of_b: tuple[str, ...] | None, told: str, tmp_path: Path
) -> None:
    source = read(tmp_path, uncertain=uncertain)
    assert labels(source) == {"a": (), "b": of_b, "c": ("Edema", "Pleural Effusion"), "d": (), "e": None}
    assert any(f"uncertain label (-1): 1. They are {told}" in note for note in source.notes)
    assert any("columns sex, age are not used" in note for note in source.notes)
    (rejected,) = source.rejected
    assert (
        rejected.reason
        == "(row 6 of the listing) has `x` in the column Pleural Effusion; 1, 0, -1 and nothing are read"
    )


def test_some_of_the_columns(tmp_path: Path) -> None:
    assert labels(read(tmp_path, ("Edema",))) == {
        "a": None,
        "b": ("Edema",),
        "c": ("Edema",),
        "d": (),
        "e": None,
        "f": None,
    }


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match=r"has no column `Edemas`, which dataset\.columns names; it has path, sex"):
        read(tmp_path, ("Edemas", "Edema"))


def test_columns_need_a_listing() -> None:
    assert findings_of(DatasetParams()) is None
    assert findings_of(DatasetParams(listing="a.csv", columns=("Edema",))) == FindingColumns(("Edema",), "ignored")
    with pytest.raises(ValidationError, match=r"name the table in dataset\.listing"):
        DatasetParams(columns=("Edema",))
