"""The whole life on texts: a table of sentences and the word vectors that ship with Thaw, from the pages' own commands to a server's answer."""

import csv
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest
from documented import DOCS, block_with
from project import Project, clone
from registration import copy_empty_store
from served_project import served
from shown_words import OF_IMAGES, visible

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]

EACH = 150
HOSTILE = ("مرحبا <b>world</b> 👍🏽 \u202egood", "हिन्दी & 日本語 <script>alert(1)</script>", "e\u0301 " * 2000)
"""Texts that pages must show as they are: right-to-left, marks, markup, and a long one."""


def sentences(real_data: Path, first: int = 0) -> list[tuple[str, str]]:
    """Objective and subjective sentences of SUBJ without a word of pictures, half each, from the `first` of each on."""
    lines = (real_data / "text/sets/subj.all").read_bytes().decode("latin-1").split("\n")
    rows = [
        (text, "objective" if label == "0" else "subjective")
        for label, text in (line.split(" ", 1) for line in lines if line)
        if not OF_IMAGES.search(text)
    ]
    chosen = [[row for row in rows if row[1] == name][first : first + EACH] for name in ("objective", "subjective")]
    return [*chosen[0], *chosen[1]]


@pytest.fixture(scope="module")
def project(
    tmp_path_factory: pytest.TempPathFactory, real_data: Path, prefect: str, warm: Path, empty_store: Path
) -> Project:
    """A project after the commands of the page."""
    made = clone(tmp_path_factory.mktemp("texts") / "project", prefect=prefect, programs=warm)
    copy_empty_store(empty_store, made.root)
    with (made.root / "reviews.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [("text", "label"), *sentences(real_data), *((text, "objective") for text in HOSTILE)]
        )
    output = made.follow(block_with(DOCS / "texts.md", "cp examples/texts.yaml"))
    assert "version 1 is the champion now" in output, output
    return made


def test_every_stage_is_up_to_date_and_the_model_has_learnt(project: Project) -> None:
    metrics = project.metrics()
    assert metrics["test"]["accuracy"] > 0.7
    assert metrics["transfer"]["pixels"]["accuracy"] > 0.55, "TF-IDF stands beside it"
    assert "303 texts of 2 classes" in (project.root / ".thaw/logs/ingest.log").read_text()
    extracted = (project.root / ".thaw/logs/extract.log").read_text()
    assert re.search(r"\d\.\d% of the words in a sample of 256 texts have no vector", extracted)
    assert {stage["state"] for stage in project.json("status")["stages"]} == {"up to date"}


def test_new_rows_cost_themselves_alone(project: Project) -> None:
    table = project.root / "reviews.csv"
    before = table.read_bytes()
    try:
        table.write_bytes(before + "".join(f"this is new text number {n},objective\r\n" for n in range(10)).encode())
        project.run("thaw", "run", "--stage", "ingest")
        project.run("thaw", "run", "--stage", "extract")
        log = (project.root / ".thaw/logs/extract.log").read_text()
        assert "313 examples: 303 with features already, 10 forward passes to do" in log
    finally:
        table.write_bytes(before)
        project.run("thaw", "run", "--stage", "ingest")
        project.run("thaw", "run", "--stage", "extract")


def test_the_pages_speak_of_texts_and_show_them_as_they_are(project: Project) -> None:
    assert "data/review/review.html" in project.run("thaw", "review")
    for page in ("advice/advice.html", "report/report.html", "review/review.html"):
        html = (project.root / "data" / page).read_text()
        shown = re.sub(r"(&#3[49];|[\"'])pixels\1", "", visible(html))
        assert OF_IMAGES.findall(shown) == [] and "texts" in shown, page
        assert "<script>alert" not in html and "<b>world" not in html
    report = (project.root / "data/report/report.html").read_text()
    assert '<pre class="excerpt" dir="auto">' in report
    assert re.search(r"<li>.*\d\.\d% of the words in a sample of 256 texts have no vector", report)


def test_the_registered_model_takes_strings(project: Project) -> None:
    program = (
        "import json, mlflow; mlflow.set_tracking_uri('sqlite:///.thaw/mlflow.db');"
        "model = mlflow.pyfunc.load_model('models:/thaw-texts@champion');"
        "print(json.dumps(model.predict(['the story follows two brothers in 1943 .', 'a dull film , i hated it !'])['label'].tolist()))"
    )
    told = project.run("python", "-c", program)
    labels = json.loads(told.splitlines()[-1])
    assert len(labels) == 2 and set(labels) <= {"objective", "subjective"}


def test_an_export_runs_without_thaw_and_gives_the_same_answers(project: Project, real_data: Path) -> None:
    folder = project.root.parent / "onnx"
    said = project.run("thaw", "export", "--format", "onnx", "--out", str(folder))
    assert "100.0% of the labels are equal" in said
    readme = (folder / "README.md").read_text()
    assert OF_IMAGES.findall(readme) == [] and "a text classifier" in readme
    (folder / "predict.py").write_text(readme.split("```python\n")[1].split("```")[0])
    text = "the story follows two brothers who isn't it , in 1943 ."
    (folder / "note.txt").write_text(text)
    done = subprocess.run(
        [sys.executable, "predict.py", "note.txt"], cwd=folder, capture_output=True, text=True, check=True
    )
    (own,) = project.json("predict", str(folder / "note.txt"))
    answer = json.loads(done.stdout)
    assert answer["label"] == own["label"]
    assert answer["probabilities"] == pytest.approx(own["probabilities"], abs=1e-4)


def test_a_server_answers(project: Project) -> None:
    with served(project) as address:
        answer = httpx.post(
            f"{address}/predict?nearest=2",
            files={"examples": ("a.txt", "a moving , funny film 👍".encode())},
            timeout=60,
        )
        assert answer.status_code == 200 and list(answer.json()) == ["model", "version", "texts"], answer.text
        wrong = httpx.post(f"{address}/predict", files={"examples": ("a.txt", b"\xff\xfe\x00")}, timeout=60)
        assert wrong.status_code == 422 and "is not UTF-8 text" in wrong.text
        told = project.run("sh", "-c", block_with(DOCS / "texts.md", "curl").replace("http://127.0.0.1:8080", address))
        (typed,) = json.loads(told[told.index("{") :])["texts"]
        assert set(typed["probabilities"]) == {"objective", "subjective"} and len(typed["nearest"]) == 3
        for path in ("/docs", "/"):
            assert OF_IMAGES.findall(visible(httpx.get(f"{address}{path}").text)) == []


def test_the_rows_of_a_table_are_scored_and_watched(project: Project, real_data: Path) -> None:
    later = sentences(real_data, EACH)
    (project.root / "note.txt").write_text("the story follows two brothers in 1943 .")
    for line in block_with(DOCS / "texts.md", "thaw predict").splitlines():
        told = project.run(*shlex.split(line, comments=True))
    assert "note.txt" in told
    rows = pq.read_table(project.root / "data/scores/monday.parquet").to_pylist()
    assert [row["path"] for row in rows] == [f"reviews.csv#{number}" for number in range(1, 304)]
    assert {row["label"] for row in rows} == {"objective", "subjective"} and {row["reason"] for row in rows} == {""}
    table = project.root / "new.jsonl"
    table.write_text(json.dumps({"id": "a", "sentence": rows[0]["path"]}) + '\nno json\n{"id": "b", "sentence": ""}\n')
    good, broken, empty = project.json("predict", "new.jsonl")
    assert (good["path"], broken["path"], empty["path"]) == ("new.jsonl#a", "new.jsonl#2", "new.jsonl#b")
    assert good["label"] and "is not JSON" in broken["reason"] and empty["reason"] == "is empty"
    foreseen = project.json("predict", "reviews.csv", "--dry-run")
    assert (foreseen["texts"], foreseen["cached"], foreseen["remote"]) == (303, 303, 0)
    with (project.root / "later.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text",), *((text,) for text, _ in later)])
    assert "data/drift/drift.html" in project.run("thaw", "watch", "later.csv")


def test_drift_and_lineage_know_texts(project: Project, real_data: Path) -> None:
    other = project.root.parent / "other"
    other.mkdir()
    lines = (real_data / "text/sets/TREC.test.all").read_bytes().decode("latin-1").split("\n")
    for number, line in enumerate(lines[:40]):
        (other / f"{number}.txt").write_text(line.split(" ", 1)[1])
    assert "data/drift/drift.html" in project.run("thaw", "watch", str(other), code=5), "questions are no film reviews"
    assert "texts" in visible((project.root / "data/drift/drift.html").read_text())
    assert "texts" in json.dumps(project.json("trace", "champion"))
