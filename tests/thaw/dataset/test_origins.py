"""Examples of one patient stay together, and nothing that is written says who it is."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from dicom_files import grey_file

from thaw.dataset.folders import read_source
from thaw.dataset.foreseen import foresee
from thaw.dataset.ingestion import Ingested, ingest
from thaw.dataset.manifest import write_manifest
from thaw.dataset.origins import settle_origins
from thaw.dataset.places import Places
from thaw.dataset.splits import hashed_split
from thaw.kinds.images.kind import KIND
from thaw.params.sections import DatasetParams

PERSONAL = {
    "PatientName": "Erika^Mustermann",
    "PatientBirthDate": "19640812",
    "StudyDate": "20180203",
    "InstitutionName": "Klinikum Beispielstadt",
    "AccessionNumber": "ACC-77-0042",
}


def scan(seed: int, patient: str) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 4096, (12, 12)).astype(np.uint16)
    return grey_file(noise, 12, WindowCenter=2048, WindowWidth=4096, PatientID=patient, **PERSONAL)


def folder(root: Path, patients: int, scans: int = 3) -> Path:
    """Two classes of DICOM files without an ending, some of each patient."""
    for patient in range(patients):
        for number in range(scans):
            place = root / ("lesion" if patient % 2 else "normal") / f"{patient:02}{number}"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(scan(10 * patient + number, f"MRN-5531{patient:02}"))
    return root


def ingested(root: Path) -> Ingested:
    return ingest(Places(root), DatasetParams(source="scans"), KIND, workers=2)


def test_all_files_of_a_patient_are_in_one_split_and_one_group(tmp_path: Path) -> None:
    found = ingested(folder(tmp_path / "scans", 12))
    groups: dict[str, set[tuple[str | None, str]]] = {}
    for row in found.manifest.examples():
        groups.setdefault(row.path[-3:-1], set()).add((row.group, row.split))
    assert all(len(rows) == 1 for rows in groups.values())
    assert sorted(group for rows in groups.values() for group, _ in rows if group) == sorted(
        f"origin-{n}" for n in range(1, 13)
    )
    assert len({split for rows in groups.values() for _, split in rows}) > 1
    assert any("36 files name whom they are of (the patient): 12 groups" in note for note in found.report.notes)
    assert found.report.kinds == {"DICOM": 36}
    assert found.report.wrong_endings == 0


def test_a_patient_s_split_does_not_change_as_others_come(tmp_path: Path) -> None:
    before = {row.path: row.split for row in ingested(folder(tmp_path / "scans", 6)).manifest.examples()}
    after = {row.path: row.split for row in ingested(folder(tmp_path / "scans", 14)).manifest.examples()}
    assert {path: after[path] for path in before} == before


def test_nothing_of_a_header_is_written(tmp_path: Path) -> None:
    root = folder(tmp_path / "scans", 4)
    (root / "normal" / "cut").write_bytes(scan(1, "MRN-553199")[:-100])
    found = ingested(root)
    write_manifest(found.manifest, tmp_path / "manifest.parquet")
    written = (tmp_path / "manifest.parquet").read_bytes() + repr(
        pq.read_table(tmp_path / "manifest.parquet").to_pydict()
    ).encode()
    written += found.report.to_json().encode() + repr(found).encode()
    for path in root.rglob("*"):
        if path.is_file() and path.name != "cut":
            for small in (True, False):
                written += KIND.preview(path.read_bytes(), DatasetParams().limits, small=small).content
    for value in (*PERSONAL.values(), "MRN-5531", "Mustermann"):
        assert value.encode() not in written
    assert "DICOM" in found.rejected[0].reason


def test_a_group_of_the_listing_goes_first(tmp_path: Path) -> None:
    root = folder(tmp_path / "scans", 6)
    rows = [
        f"{path.relative_to(root)},{path.parent.name},{'ward' if path.name == '000' else ''}"
        for path in sorted(root.rglob("0*"))
    ]
    (root / "list.csv").write_text("\n".join(["path,label,group", *rows]))
    found = ingest(Places(root), DatasetParams(source="scans", listing="list.csv"), KIND, workers=1)
    groups = {row.path: row.group for row in found.manifest.examples()}
    assert groups["normal/000"] == "ward"
    assert groups["normal/001"] == groups["normal/002"] == "origin-4"  # lesion/ has three patients before it


def test_one_name_for_all_makes_no_group(tmp_path: Path) -> None:
    for label in ("lesion", "normal"):
        for number in range(30):
            place = tmp_path / "scans" / label / f"{number}.dcm"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(scan(number + 100 * (label == "normal"), "ANONYMOUS"))
    found = ingested(tmp_path / "scans")
    assert {row.group for row in found.manifest.examples()} == {None}
    assert len({row.split for row in found.manifest.examples()}) == 3
    assert any("as after an anonymisation" in note for note in found.report.notes)
    seen = foresee(read_source(tmp_path / "scans"), Places(tmp_path / "scans"), DatasetParams().splits, kind=KIND)
    assert seen.why_untaught() is seen.why_untested() is None


def test_check_foresees_the_splits_of_patients(tmp_path: Path) -> None:
    trained = [
        name
        for name in map(str, range(200))
        if hashed_split(digest=b"", group=name, shares=DatasetParams().splits) == "train"
    ]
    for number, patient in enumerate(trained[:2] * 10):
        place = tmp_path / "scans" / "ab"[number % 2] / f"{number}.dcm"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(scan(number, patient))
    source, places = read_source(tmp_path / "scans"), Places(tmp_path / "scans")
    assert foresee(source, places, DatasetParams().splits).why_untested() is None
    assert "no labelled file would be in the test" in (
        foresee(source, places, DatasetParams().splits, kind=KIND).why_untested() or ""
    )


def test_origins_are_numbered_in_the_order_of_the_paths() -> None:
    origins = settle_origins({"b": "7", "a": "9", "c": "7", "d": None})
    assert [origins.group(path) for path in "abcd"] == ["origin-1", "origin-2", "origin-2", None]
    assert origins.notes == (
        "3 files name whom they are of (the patient): 2 groups, each in one split; the other 1 name none, and stand for themselves. "
        "The manifest has numbers for them.",
    )
    assert settle_origins({"a": None}).notes == settle_origins({}).warnings == ()
