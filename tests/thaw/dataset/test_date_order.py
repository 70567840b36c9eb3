"""Splits in the order of dates: nothing in training is newer than the oldest of the test, and groups stay together."""

from pathlib import Path

import numpy as np
import pytest
from dicom_files import grey_file
from hypothesis import given, settings
from hypothesis import strategies as st

from thaw.dataset.date_order import Dated, order_by_date
from thaw.dataset.foreseen import expected_test_rows, foresee
from thaw.dataset.ingestion import ingest
from thaw.dataset.manifest import TEST, TRAIN
from thaw.dataset.places import Places
from thaw.dataset.sources import source_of_kind
from thaw.foundation.errors import BadSource
from thaw.kinds.images.kind import KIND
from thaw.params.sections import DatasetParams, SplitParams

SHARES = SplitParams(val=0.2, test=0.3, order="date")
FILES = st.dictionaries(
    st.integers(0, 999).map(str), st.tuples(st.integers(0, 12), st.none() | st.integers(0, 30)), min_size=2, max_size=60
)


@settings(max_examples=30)
@given(FILES)
def test_training_is_older_than_the_test_and_groups_stay_together(drawn: dict[str, tuple[int, int | None]]) -> None:
    files = {
        path: Dated(bytes([group]), None if day is None else f"2026{day:04}") for path, (group, day) in drawn.items()
    }
    newest = {
        each.key: max(other.date or "" for other in files.values() if other.key == each.key) for each in files.values()
    }
    if len({*newest.values()} - {""}) < 2:
        with pytest.raises(BadSource, match=r"dataset\.splits\.order=hash"):
            order_by_date(files, SHARES)
        return
    splits = order_by_date(files, SHARES).of
    of_group: dict[bytes, set[str]] = {}
    for path, file in files.items():
        of_group.setdefault(file.key, set()).add(splits[path])
    assert all(len(found) == 1 for found in of_group.values())
    tested = [newest[key] for key, found in of_group.items() if TEST in found]
    assert all(date <= min(tested, default="9") for key, date in newest.items() if TEST not in of_group[key])
    assert all(of_group[key] == {TRAIN} for key, date in newest.items() if not date)


def scans(root: Path, dates: list[str]) -> Places:
    for number, date in enumerate(dates):
        stored = np.full((8, 8), number, np.uint16)
        place = root / ("ill" if number % 2 else "well") / str(number)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(grey_file(stored, 12, StudyDate=date, PatientID=f"P{number // 2}"))
    return Places(root)


def test_the_newest_patients_of_a_folder_are_the_test_and_no_date_is_kept(tmp_path: Path) -> None:
    places = scans(tmp_path, ["20240301", "20240301", "2020.01.05", "20200105", "20260505", "20230101", "", ""])
    params = DatasetParams(source=str(tmp_path), splits=SplitParams(val=0, test=0.4, order="date"))
    found = ingest(places, params, KIND)
    splits = {row.path.rpartition("/")[2]: row.split for row in found.manifest.examples()}
    assert {path for path, split in splits.items() if split == TEST} == {"4", "5"}, (
        "of the patient with the newest file"
    )
    report = found.report.to_json()
    assert found.report.split_by == "date" and "2 files state no date, and are trained on" in report
    assert "2026" not in report and "2023" not in report
    source = source_of_kind(KIND, tmp_path, None)
    foreseen = foresee(source, places, params.splits, kind=KIND)
    assert (foreseen.why_untaught(), foreseen.why_untested()) == (None, None)
    assert expected_test_rows(source, params.splits) == 3


def test_files_without_dates_say_what_to_do(tmp_path: Path) -> None:
    places = scans(tmp_path, ["19000101"] * 4)
    with pytest.raises(BadSource, match="all state the same date; set dataset"):
        ingest(places, DatasetParams(source=str(tmp_path), splits=SHARES), KIND)
