"""The whole life on sounds: spoken digits with their speakers, from the pages' own commands to a server's answer."""

import csv
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest
from documented import DOCS, block_with
from made_up_sounds import tone, written
from project import Project, clone
from registration import copy_empty_store
from served_project import served
from shown_words import OF_IMAGES, visible

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]

SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
"""By their hashes jackson and nicolas are in the test."""
EACH = 3
DAMAGED = {"silent.wav": "is silent", "cut.wav": "is cut off", "notes.wav": "is no sound"}


def record(folder: Path, real_data: Path, numbers: Sequence[int]) -> list[tuple[str, str, str]]:
    """Recordings of every digit by every speaker: path, digit and speaker."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for digit in range(10):
        for speaker in SPEAKERS:
            for number in numbers:
                name = f"{digit}_{speaker}_{number}.flac"
                shutil.copyfile(real_data / "sounds/fsdd" / name, folder / name)
                rows.append((name, str(digit), speaker))
    return rows


def write_listing(folder: Path, rows: Sequence[tuple[str, str, str]]) -> None:
    with (folder / "list.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "label", "group"), *rows])


def write_damaged(folder: Path) -> list[tuple[str, str, str]]:
    contents = {"silent.wav": written(0 * tone()), "cut.wav": written(tone())[:1000], "notes.wav": b"la la la"}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [(name, "0", "nobody") for name in contents]


@pytest.fixture(scope="module")
def project(
    tmp_path_factory: pytest.TempPathFactory, real_data: Path, prefect: str, warm: Path, empty_store: Path
) -> Project:
    """A project after the commands of the page."""
    made = clone(tmp_path_factory.mktemp("sounds") / "project", prefect=prefect, programs=warm)
    copy_empty_store(empty_store, made.root)
    folder = made.root / "recordings"
    write_listing(folder, [*record(folder, real_data, range(EACH)), *write_damaged(folder)])
    output = made.follow(block_with(DOCS / "sounds.md", "cp examples/spoken_digits.yaml"))
    assert "version 1 is the champion now" in output, output
    return made


def test_every_stage_is_up_to_date_and_the_model_has_learnt(project: Project) -> None:
    metrics = project.metrics()
    assert metrics["test"]["accuracy"] > 0.75, "speakers whom nobody trained on"
    assert metrics["transfer"]["pixels"]["accuracy"] > 0.2, "MFCC stands beside it"
    assert "180 sounds of 10 classes" in (project.root / ".thaw/logs/ingest.log").read_text()
    assert {stage["state"] for stage in project.json("status")["stages"]} == {"up to date"}


def test_the_report_of_the_ingestion_says_what_is_wrong(project: Project) -> None:
    rows = list(csv.reader((project.root / "data/ingest/rejected.csv").open(encoding="utf-8")))
    reasons = dict(rows[1:])
    assert reasons.keys() == DAMAGED.keys()
    for name, reason in DAMAGED.items():
        assert reason in reasons[name]
    report = json.loads((project.root / "data/ingest/report.json").read_text())
    assert report["kinds"] == {"FLAC": 180} and report["split_by"] == "hash"
    notes = " ".join(report["notes"])
    assert "Sounds of fewer than 16,000 samples a second: 180" in notes and "has a group" not in notes


def test_new_sounds_cost_themselves_alone(project: Project, real_data: Path) -> None:
    folder = project.root / "recordings"
    before = (folder / "list.csv").read_bytes()
    try:
        rows = record(folder, real_data, range(EACH + 1))
        write_listing(folder, rows)
        project.run("thaw", "run", "--stage", "ingest")
        project.run("thaw", "run", "--stage", "extract")
        log = (project.root / ".thaw/logs/extract.log").read_text()
        assert "240 examples: 180 with features already, 60 forward passes to do" in log
    finally:
        for path in folder.glob(f"*_{EACH}.flac"):
            path.unlink()
        (folder / "list.csv").write_bytes(before)
        project.run("thaw", "run", "--stage", "ingest")
        project.run("thaw", "run", "--stage", "extract")


def test_the_pages_speak_of_sounds_and_play_them(project: Project) -> None:
    assert "data/review/review.html" in project.run("thaw", "review")
    for page in ("advice/advice.html", "report/report.html", "review/review.html"):
        html = (project.root / "data" / page).read_text()
        shown = re.sub(r"(&#3[49];|[\"'])pixels\1", "", visible(html))
        assert OF_IMAGES.findall(shown) == [] and "sounds" in shown, page
    for page in ("report/report.html", "review/review.html"):
        html = (project.root / "data" / page).read_text()
        assert html.count('<audio controls preload="none" src="data:audio/wav;base64,') > 3, page
        assert 'src="data:image/png;base64,' in html


def test_the_registered_model_takes_paths_and_samples(project: Project) -> None:
    program = (
        "import json, mlflow, soundfile; mlflow.set_tracking_uri('sqlite:///.thaw/mlflow.db');"
        "model = mlflow.pyfunc.load_model('models:/thaw-spoken-digits@champion');"
        "samples, rate = soundfile.read('recordings/7_jackson_0.flac');"
        "given = ['recordings/7_jackson_0.flac', {'samples': samples.tolist(), 'rate': rate}];"
        "print(json.dumps([model.predict([each])['label'].tolist() for each in given]))"
    )
    told = project.run("python", "-c", program)
    (one,), (other,) = json.loads(told.splitlines()[-1])
    assert one == other and one in "0123456789"


def test_an_export_runs_without_thaw_and_gives_the_same_answers(project: Project) -> None:
    folder = project.root.parent / "onnx"
    said = project.run("thaw", "export", "--format", "onnx", "--out", str(folder))
    assert "100.0% of the labels are equal" in said
    readme = (folder / "README.md").read_text()
    assert OF_IMAGES.findall(readme) == [] and "a sound classifier" in readme
    (folder / "predict.py").write_text(readme.split("```python\n")[1].split("```")[0])
    sound = project.root / "recordings/3_nicolas_1.flac"
    done = subprocess.run(
        [sys.executable, "predict.py", str(sound)], cwd=folder, capture_output=True, text=True, check=True
    )
    (own,) = project.json("predict", str(sound))
    answer = json.loads(done.stdout)
    assert answer["label"] == own["label"]
    assert answer["probabilities"] == pytest.approx(own["probabilities"], abs=1e-4)


def test_a_server_answers(project: Project) -> None:
    with served(project) as address:
        block = block_with(DOCS / "sounds.md", "curl").replace("http://127.0.0.1:8080", address)
        for line in block.splitlines():
            told = project.run("sh", "-c", line)
            answer = json.loads(told[told.index("{") :])
            assert list(answer) == ["model", "version", "sounds"] and answer["sounds"][0]["label"] in "0123456789"
        sound = (project.root / "recordings/0_jackson_0.flac").read_bytes()
        near = httpx.post(f"{address}/predict?nearest=2", files={"examples": ("a.flac", sound)}, timeout=60).json()
        played = httpx.get(f"{address}{near['sounds'][0]['nearest'][0]['thumbnail']}")
        assert played.headers["content-type"] == "audio/wav" and played.content.startswith(b"RIFF")
        wrong = httpx.post(f"{address}/predict", files={"examples": ("a.wav", written(tone())[:900])}, timeout=60)
        assert wrong.status_code == 422 and "is cut off" in wrong.text
        for path in ("/docs", "/"):
            page = visible(httpx.get(f"{address}{path}").text)
            assert OF_IMAGES.findall(page) == []
        assert "Record or drop a sound" in page


def test_folders_are_scored_and_watched(project: Project, real_data: Path) -> None:
    for line in block_with(DOCS / "sounds.md", "thaw predict").splitlines():
        told = project.run(*shlex.split(line, comments=True))
    assert "sounds" in told
    rows = pq.read_table(project.root / "data/scores/monday.parquet").to_pylist()
    assert sum(row["reason"] == "" for row in rows) == 180
    assert {"is silent"} <= {row["reason"] for row in rows}
    commands = project.root.parent / "commands"
    commands.mkdir()
    for number, path in enumerate(sorted((real_data / "sounds/commands").glob("*.flac"))[:40]):
        shutil.copyfile(path, commands / f"{number}.flac")
    assert "data/drift/drift.html" in project.run("thaw", "watch", str(commands), code=5), "commands are no digits"
    assert OF_IMAGES.findall(visible((project.root / "data/drift/drift.html").read_text())) == []
    assert "sounds" in json.dumps(project.json("trace", "champion"))
