"""The whole life on DICOM files: by patient, from the page's own commands to a server's answer, and nothing of a header in all that is written."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pyarrow.parquet as pq
import pytest
from dicom_files import grey_file
from documented import DOCS, block_with
from project import Project, clone
from registration import copy_empty_store
from served_project import served

from thaw.dataset.manifest import read_manifest
from thaw.dataset.slices import FILE as SLICES
from thaw.dataset.slices import read_slices

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

PATIENTS, SCANS = 24, 3
LISTING, SCANNERS = "listing.csv", ("portable", "fixed")
PERSONAL = {
    "PatientName": "Mustermann^Erika",
    "PatientBirthDate": "19011231",
    "InstitutionName": "Klinikum Beispielstadt",
    "ReferringPhysicianName": "Dr^Exempla",
    "AccessionNumber": "ACC-77-0042",
    "StudyInstanceUID": "1.2.826.0.1.3680043.8.498.7151",
}
SECRETS = re.compile(
    rb"Mustermann|Erika|(?<!\d)19011231(?!\d)|(?<!\d)1923\d\d17(?!\d)|Beispielstadt|Exempla|ACC-77|MRN-55|8\.498\.7151"
)


def scan(patient: int, number: int) -> bytes:
    """Noise, with a bright spot in the ill; of 12 bits, every other one with white as its lowest value."""
    stored = np.random.default_rng(100 * patient + number).normal(1500, 250, (48, 40))
    if patient % 2:
        stored[16:30, 12:26] += 900
    stored = np.clip(stored, 0, 4095).astype(np.uint16)
    colouring, centre = ("MONOCHROME1", 4095 - 1800) if number % 2 else ("MONOCHROME2", 1800)
    return grey_file(
        4095 - stored if number % 2 else stored, 12, PhotometricInterpretation=colouring,
        WindowCenter=centre, WindowWidth=2400, PatientID=f"MRN-55{patient:02}",
        StudyDate=f"1923{1 + patient // 2:02}17", **PERSONAL,
    )  # fmt: skip


def write_scans(folder: Path) -> None:
    for patient in range(PATIENTS):
        for number in range(SCANS):
            place = folder / ("pneumonia" if patient % 2 else "normal") / f"IM{patient:03}{number}"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(scan(patient, number))
    (folder / "normal" / "cut").write_bytes(scan(0, 0)[:-500])
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    lines = [f"{path},{path.split('/')[0]},{SCANNERS[number % 2]}" for number, path in enumerate(found)]
    (folder / LISTING).write_text("\n".join(["path,label,scanner", *lines]) + "\n")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, prefect: str, warm: Path, empty_store: Path) -> Project:
    """A project after the commands of the page, with the small backbone."""
    made = clone(tmp_path_factory.mktemp("radiology") / "project", prefect=prefect, programs=warm)
    copy_empty_store(empty_store, made.root)
    write_scans(made.root / "scans")
    (made.root / ".gitignore").open("a").write("/scans/\n")
    output = ""
    for line in block_with(DOCS / "radiology.md", "cp examples/chest_xray.yaml").splitlines():
        output = made.follow(line)
        if line.startswith("cp "):
            made.set(
                "backbone.weights=data/pretrain/small.safetensors",
                "backbone.windows=[[1800,2400]]",
                "evaluate.baselines=[majority]",
                f"dataset.listing={LISTING}",
                "dataset.slices=[scanner]",
                "dataset.splits.order=date",
            )
    assert "version 1 is the champion now" in output, output
    return made


def written(root: Path) -> Iterator[tuple[Path, bytes]]:
    """What every file below a folder holds, beside the scans themselves; tables as they are read."""
    for path in sorted(root.rglob("*")):
        if not path.is_file() or "scans" in path.relative_to(root).parts:
            continue
        content = path.read_bytes()
        table = (
            repr(pq.read_table(path).to_pydict()).encode()
            if content[:4] == b"PAR1" and b"feature" not in content
            else b""
        )
        yield path, content + table


def test_patients_stay_together_and_the_model_has_learnt(project: Project) -> None:
    splits: dict[str, set[tuple[str | None, str]]] = {}
    for row in read_manifest(project.root / "data/manifest.parquet").examples():
        splits.setdefault(row.path[-4:-1], set()).add((row.group, row.split))
    assert len(splits) == PATIENTS and all(len(found) == 1 for found in splits.values())
    tested = {patient for patient, found in splits.items() if {split for _, split in found} == {"test"}}
    assert len(tested) == round(0.3 * PATIENTS) and {*sorted(splits)[-6:]} <= tested, "two patients share each date"
    assert {split for found in splits.values() for _, split in found} == {"train", "test"}
    assert project.metrics()["test"]["accuracy"] > 0.8
    log = (project.root / ".thaw/logs/ingest.log").read_text()
    assert "72 files name whom they are of (the patient): 24 groups" in log and "Rejected files: 1" in log


def test_nothing_of_a_header_is_written_or_answered(project: Project) -> None:
    said = project.run("thaw", "predict", "scans", "--csv")
    said += project.run("thaw", "review") + project.run("thaw", "trace", "1")
    said += project.run("thaw", "export", "--format", "onnx", "--out", str(project.root / "onnx"))
    files = {"images": ("IM0000", scan(3, 0))}
    with served(project) as address:
        answered = httpx.post(f"{address}/predict?nearest=2", files=files, timeout=60)
        assert answered.status_code == 200 and answered.json()["images"][0]["label"] == "pneumonia"
        damaged = httpx.post(f"{address}/predict", files={"images": ("IM", scan(3, 0)[:-500])}, timeout=60)
        assert damaged.status_code == 422 and "truncated DICOM file" in damaged.text
        alone = httpx.post(
            f"{address}/predict", content=scan(2, 0), headers={"content-type": "application/dicom"}, timeout=60
        )
        assert alone.json()["images"][0]["label"] == "normal"
        near = httpx.get(f"{address}{answered.json()['images'][0]['nearest'][0]['thumbnail']}")
        said += answered.text + damaged.text + alone.text + httpx.get(f"{address}/metrics").text
    assert near.headers["content-type"].startswith("image/") and not SECRETS.search(near.content)
    assert SECRETS.search(said.encode()) is None, said
    files_written = dict(written(project.root)) | dict(written(project.root.parent))
    assert len(files_written) > 300 and any(path.name == "mlflow.db" for path in files_written)
    found = {
        path: SECRETS.search(content) for path, content in files_written.items() if path.name != "test_radiology.py"
    }
    assert {str(path): match[0] for path, match in found.items() if match and "tests" not in path.parts} == {}


def test_slices_and_intervals_by_patient_are_among_what_was_searched(project: Project) -> None:
    report = project.root / "data/report"
    page = (report / "report.html").read_text()
    assert all(f"scanner</bdi>: <bdi>{name}" in page for name in SCANNERS), "a slice of each scanner"
    assert "interval by group" in page and project.metrics()["test"]["groups"] > 1
    assert read_slices(report / SLICES) is not None and "group" in pq.read_schema(report / "predictions.parquet").names


def test_the_windows_are_part_of_the_model(project: Project) -> None:
    program = (
        "import json, mlflow; mlflow.set_tracking_uri('sqlite:///.thaw/mlflow.db');"
        "model = mlflow.pyfunc.load_model('models:/thaw-chest-xray@champion');"
        "print(json.dumps(model.predict(['scans/pneumonia/IM0010', 'scans/normal/IM0021'])['label'].tolist()))"
    )
    told = project.run("python", "-c", program)
    assert told.splitlines()[-1] == '["pneumonia", "normal"]'
    assert '"windows"' in (project.root / "onnx/model.json").read_text()
    shown = project.run(*shlex.split("thaw config explain backbone.windows"))
    assert "centre and width" in " ".join(shown.split())
