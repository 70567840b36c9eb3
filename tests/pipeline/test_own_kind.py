"""A kind that Thaw does not know, brought by another package, through the whole life: nothing but the kind's own package knows what an example is."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from project import CHEAP, Project, clone
from registration import copy_empty_store
from series_kind.kind import KIND
from series_source import CLASSES, install, write_backbone, write_series
from served_project import served
from shown_words import OF_IMAGES, visible

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]

SETTINGS = (
    "dataset.source=series",
    "dataset.labels_per_class=null",
    "dataset.splits.val=0",
    "dataset.splits.test=0.4",
    "backbone.weights=series.safetensors",
    "evaluate.baselines=[majority,pixels]",
    "evaluate.gallery=20",
    "promotion.max_near_copies=null",  # waves of one shape are alike
    "registry.name=thaw-series",
    "finetune.augment=auto",
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, prefect: str, warm: Path, empty_store: Path) -> Project:
    """A project of 40 series a class after one `thaw run`."""
    folder = tmp_path_factory.mktemp("series")
    made = replace(clone(folder / "project", prefect=prefect, programs=warm), packages=install(folder / "site"))
    copy_empty_store(empty_store, made.root)
    write_series(made.root / "series", 40)
    write_backbone(made.root / "series.safetensors")
    made.set(*CHEAP, *SETTINGS)
    made.run("git", "add", "--all")
    made.run("git", "commit", "--quiet", "--message", "Series")
    output = made.run("thaw", "run")
    assert "version 1 is the champion now" in output, output
    return made


def test_every_stage_is_up_to_date_and_the_model_has_learnt(project: Project) -> None:
    metrics = project.metrics()
    assert metrics["test"]["accuracy"] > 0.8 > metrics["baselines"]["majority"]["accuracy"] + 0.2
    assert "120 series of 3 classes" in (project.root / ".thaw/logs/ingest.log").read_text()
    assert {stage["state"] for stage in project.json("status")["stages"]} == {"up to date"}


def test_new_series_cost_themselves_alone(project: Project) -> None:
    """Extraction resumes, and checks a sample of what is kept."""
    write_series(project.root / "series", 2, seed=1)
    try:
        project.run("thaw", "run", "--stage", "ingest")
        project.run("thaw", "run", "--stage", "extract")
        log = (project.root / ".thaw/logs/extract.log").read_text()
        assert "126 examples: 120 with features already, 6 forward passes to do" in log
    finally:
        for file in (project.root / "series").rglob("1-*.csv"):
            file.unlink()
        project.run("thaw", "run", "--stage", "ingest")
        project.run("thaw", "run", "--stage", "extract")


def test_a_file_is_labelled_and_a_listing_of_files_too(project: Project) -> None:
    (row,) = project.json("predict", "series/rough/0-001.csv")
    assert row["label"] in CLASSES and row["reason"] == ""
    (project.root / "list.csv").write_text("path\nseries/rough/0-001.csv\nseries/calm/0-002.csv\nlist.csv\n")
    first, second, third = project.json("predict", "list.csv")
    assert first["probabilities"] == pytest.approx(row["probabilities"], abs=1e-5)
    assert second["label"] in CLASSES and third["reason"] == "holds more than numbers, one a line"


def test_the_review_the_watch_and_the_trace_know_it(project: Project) -> None:
    assert "data/review/review.html" in project.run("thaw", "review")
    drift = project.root.parent / "other"
    write_series(drift, 15, seed=7)
    assert "data/drift/drift.html" in project.run("thaw", "watch", str(drift))
    traced = project.json("trace", "champion")
    assert "series" in json.dumps(traced)
    told = project.run("thaw", "trace", "champion", "--graph", "lineage.html")
    assert "71 series of 3 classes" in told
    assert_of_series(told)


@pytest.fixture(scope="module", params=["torch", "onnx"])
def exported(request: pytest.FixtureRequest, project: Project) -> tuple[Path, str]:
    """The folder of an export in that format, and what was said of it."""
    folder = project.root.parent / str(request.param)
    return folder, project.run("thaw", "export", "--format", request.param, "--out", str(folder))


def test_an_export_gives_the_same_answers(exported: tuple[Path, str]) -> None:
    folder, said = exported
    assert "100.0% of the labels are equal" in said
    assert re.search(r"on \d+ series:", said)
    card = json.loads((folder / "model.json").read_text())
    assert card["preprocessing"]["kind"] == "series" and card["checked"]["series"] > 1
    assert {card["input"]["name"], *(one["name"] for one in card["more_inputs"])} == {"values", "mask"}


def test_the_readme_of_an_export_is_about_series_and_runs(project: Project, exported: tuple[Path, str]) -> None:
    folder, _ = exported
    readme = (folder / "README.md").read_text()
    assert OF_IMAGES.findall(readme) == [] and "a series classifier" in readme and "numbers.csv" in readme
    (folder / "predict.py").write_text(readme.split("```python\n")[1].split("```")[0])
    files = ["series/rough/0-001.csv", "series/calm/0-002.csv"]
    done = subprocess.run(
        [sys.executable, "predict.py", *(str(project.root / file) for file in files)],
        cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for file, line in zip(files, done.stdout.splitlines(), strict=True):
        (own,) = project.json("predict", file)
        assert json.loads(line)["label"] == own["label"]
        assert json.loads(line)["probabilities"] == pytest.approx(own["probabilities"], abs=1e-4)


def test_a_table_of_scores_counts_series(project: Project) -> None:
    foreseen = project.run("thaw", "predict", "series", "--dry-run")
    scored = project.run("thaw", "predict", "series", "--out", "monday")
    assert "120 series would be scored by" in foreseen and "120 series by thaw-series 1" in scored
    assert OF_IMAGES.findall(foreseen + scored) == []
    assert project.json("predict", "series", "--dry-run")["series"] == 120
    assert "label a folder of series" in project.run("thaw", "run")


def test_a_server_answers_a_real_request(project: Project) -> None:
    content = (project.root / "series/rough/0-001.csv").read_bytes()
    with served(project) as address:
        answer = httpx.post(f"{address}/predict?nearest=2", files={"examples": ("a.csv", content)}, timeout=60)
        assert answer.status_code == 200, answer.text
        assert list(answer.json()) == ["model", "version", "series"] and len(answer.json()["series"]) == 1
        assert "rough" in answer.text and "/gallery/" in answer.text
        bare = httpx.post(f"{address}/predict", content=content, headers={"Content-Type": "text/csv"}, timeout=60)
        assert bare.status_code == 200, bare.text
        wrong = httpx.post(f"{address}/predict", files={"examples": ("a.csv", b"no numbers")}, timeout=60)
        assert wrong.status_code == 422 and "holds more than numbers" in wrong.text
        for path, says in (("/docs", "most similar training series"), ("/", "Drop a series")):
            page = visible(httpx.get(f"{address}{path}").text)
            assert says in page and OF_IMAGES.findall(page) == []
        assert OF_IMAGES.findall(httpx.get(f"{address}/openapi.json").text) == []


def test_a_network_is_fine_tuned_and_a_certificate_made(project: Project, tmp_path: Path) -> None:
    own = replace(project, root=shutil.copytree(project.root, tmp_path / "project", symlinks=True))
    own.set(
        "strategy.kind=full", "finetune.epochs=2", "finetune.scratch.epochs=2", "evaluate.baselines=[majority,scratch]"
    )
    own.run("thaw", "run", code=0)
    assert "scratch" in own.metrics()["transfer"]
    own.set("strategy.kind=linear")
    own.set("compare.seeds=2")
    told = own.run("thaw", "compare", "--strategies", "linear,knn")
    assert (own.root / "data/certificate.json").read_text() != "{}"
    assert_of_series(told)
    for page in ("certificate", "report"):
        assert_of_series(visible((own.root / f"data/report/{page}.html").read_text()))


PAGES = {
    "data/advice/advice.html": (),
    "data/report/report.html": (),
    "data/review/review.html": ("review",),
    "data/drift/drift.html": ("watch", "series"),
    "lineage.html": ("trace", "champion", "--graph", "lineage.html"),
}
"""The pages of a project, each with the command that makes it after `thaw run`."""


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_series_and_nothing_else(project: Project, page: str) -> None:
    if not (project.root / page).exists():
        project.run("thaw", *PAGES[page])
    assert_of_series(visible((project.root / page).read_text()))


def test_the_advice_says_series_on_the_terminal(project: Project) -> None:
    told = project.run("thaw", "advise")
    assert "labelled series to learn from" in re.sub(r"\s+", " ", told)
    assert_of_series(told)


@pytest.mark.parametrize("page", ["data/report/report.html", "data/review/review.html"])
def test_a_page_has_previews(project: Project, page: str) -> None:
    if not (project.root / page).exists():
        project.run("thaw", "review")
    assert '<pre class="excerpt"' in (project.root / page).read_text()


def assert_of_series(text: str) -> None:
    """A text says "series", and nothing of images except the key of a baseline."""
    text = re.sub(r"(&#3[49];|[\"'])pixels\1", "", text)
    assert OF_IMAGES.findall(text) == [], [
        text[max(0, at.start() - 80) : at.end() + 40] for at in OF_IMAGES.finditer(text)
    ]
    assert KIND.words.many in text
