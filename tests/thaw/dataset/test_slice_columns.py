"""The columns that part the examples: which ones are there, how many values they have, and what messages say of them."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from thaw.dataset.candidates import Source
from thaw.dataset.folders import read_source
from thaw.dataset.slice_columns import MOST_VALUES
from thaw.foundation.errors import BadSource
from thaw.params.sections import DatasetParams

LISTING = "path,label,Hospital,scanner\na.png,x,north,A1\nb.png,y,,A1\nb.png,y,,A1\nc.png,y,south,B\n"


def read(root: Path, listing: str = LISTING, slices: tuple[str, ...] = ("hospital", "scanner")) -> Source:
    for name in "abc":
        (root / f"{name}.png").write_bytes(b"")
    (root / "list.csv").write_text(listing)
    return read_source(root, "list.csv", slices=slices)


def test_each_example_has_its_values_in_the_order_of_the_names(tmp_path: Path) -> None:
    source = read(tmp_path, slices=("Scanner", " hospital "))
    assert [one.slices for one in source.candidates] == [("A1", "north"), ("A1", ""), ("B", "south")]
    assert not any("not used" in note for note in source.notes)
    assert [one.slices for one in read(tmp_path, slices=()).candidates] == [()] * 3


def test_rows_of_a_table_of_texts(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text,label,site\nA,x,north\nB,y,south\n")
    source = read_source(tmp_path / "t.csv", rows=True, slices=("site",))
    assert [(one.path, one.slices) for one in source.candidates] == [("t.csv#1", ("north",)), ("t.csv#2", ("south",))]
    assert not any("site" in note for note in source.notes)


def test_a_column_may_be_the_group_as_well(tmp_path: Path) -> None:
    source = read(tmp_path, "path,label,group\na.png,x,g\nb.png,y,h\n", ("group",))
    assert [(one.group, one.slices) for one in source.candidates] == [("g", ("g",)), ("h", ("h",))]


def test_a_column_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match=r"has no column `site`, which dataset.slices names; it has path, label, hosp"):
        read(tmp_path, slices=("hospital", "site"))


def test_a_source_without_a_table(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "a.png").write_bytes(b"")
    with pytest.raises(BadSource, match=r"dataset.slices names `site`, and .* has no table with columns"):
        read_source(tmp_path, slices=("site",))


def test_a_column_that_tells_people_apart_is_refused_without_naming_any(tmp_path: Path) -> None:
    count = MOST_VALUES + 1
    for number in range(count):
        (tmp_path / f"{number}.png").write_bytes(b"")
    rows = "".join(f"{number}.png,x,secret-{number}\n" for number in range(count))
    with pytest.raises(BadSource, match=f"has {count} values, and dataset.slices takes {MOST_VALUES}") as error:
        read(tmp_path, f"path,label,patient\n{rows}", ("patient",))
    assert "secret" not in str(error.value)


def test_rows_of_a_file_that_disagree(tmp_path: Path) -> None:
    source = read(tmp_path, "path,label,hospital\na.png,x,north\na.png,x,south\nb.png,y,north\n", ("hospital",))
    (rejected,) = source.rejected
    assert rejected.reason == "is in the listing with more than one value in a column of dataset.slices"


@pytest.mark.parametrize("names", [["a", "A "], ["path"], [""], ["Text"]])
def test_names_that_cannot_be_columns_of_slices(names: list[str]) -> None:
    with pytest.raises(ValidationError, match="slices given with"):
        DatasetParams.model_validate({"slices": names, "listing": "list.csv"})
