"""Label sets through everything: pictures of two digits, from a listing to a promoted model that names both."""

import csv
import json
import subprocess

import numpy as np
import pytest
from digit_pairs import NAMES, pair_pictures, write_pairs
from project import Project

pytestmark = pytest.mark.slow

PAIRS = ("dataset.source=pairs", "dataset.listing=pairs.csv", "dataset.labels_per_class=null")
SERVED = """
import json, sys, mlflow
from mlflow.pyfunc.scoring_server import init
from fastapi.testclient import TestClient
model = mlflow.pyfunc.load_model(sys.argv[1])
answer = TestClient(init(model)).post("/invocations", json={"inputs": [sys.argv[2]]})
print(json.dumps([answer.status_code, answer.json()]))
"""


def test_from_a_listing_to_a_model_that_names_sets(project: Project) -> None:
    write_pairs(project.root / "pairs", 400)
    project.set(
        *PAIRS,
        "dataset.splits.test=0.4",
        "backbone.layers=[blocks]",
    )
    output = project.run("thaw", "run")
    assert "Macro F1" in output
    assert "is the champion now" in output
    metrics = project.metrics()
    assert metrics["test"]["macro_f1"] > metrics["baselines"]["majority"]["macro_f1"] + 0.2
    assert "Cut the backbone at" in project.run("thaw", "advise")

    _, shown = pair_pictures(400)
    files = [f"pairs/{number:04}.png" for number in range(40)]
    rows = project.json("predict", *files)
    named = np.array([[name in row["labels"] for name in NAMES] for row in rows])
    assert (named == shown[:40]).mean() > 0.85
    for row in rows:
        assert row["probabilities"].keys() == set(NAMES)
        assert row["labels"] == [name for name in NAMES if name in row["labels"]]
    lines = project.run("thaw", "predict", *files[:2], "pairs/pairs.csv", "--csv").splitlines()
    assert "path,labels,reason" in lines
    assert f"{project.root}/{files[0]},{'|'.join(rows[0]['labels']) or '|'}," in lines

    served = subprocess.run(
        (project.programs / "forked", "-c", SERVED, "models:/thaw-digits@champion", str(project.root / files[0])),
        cwd=project.root,
        env=project.environment() | {"MLFLOW_TRACKING_URI": f"sqlite:///{project.root}/.thaw/mlflow.db"},
        capture_output=True,
        text=True,
        check=True,
    )
    status, body = json.loads(served.stdout.splitlines()[-1])
    assert status == 200
    assert body["predictions"][0]["labels"] == rows[0]["labels"]


def test_sets_are_ranked_compared_fine_tuned_promoted_and_reviewed(project: Project) -> None:
    write_pairs(project.root / "pairs", 400)
    project.set(
        *PAIRS,
        "dataset.splits.val=0.2",
        "dataset.splits.test=0.3",
        "strategy.kind=full",
        "finetune.epochs=6",
        "finetune.learning_rate=0.005",
        "finetune.augment=none",
        "finetune.precision=float32",
        "finetune.scratch.epochs=1",
        "compare.seeds=1",
    )
    ranked = project.run("thaw", "rank", "--backbones", "thaw_small,thaw_small.random")
    assert "macro F1" in ranked and "thaw_small" in ranked
    compared = project.run("thaw", "compare", "--strategies", "linear,full")
    assert "macro F1" in compared and "Against always naming every label, transfer helps" in compared

    output = project.run("thaw", "run")
    assert "is the champion now" in output
    metrics = project.metrics()
    tuned, frozen = metrics["test"]["macro_f1"], metrics["baselines"]["frozen"]["macro_f1"]
    assert tuned > frozen + 0.1, "two digits: the frozen backbone has lost where they are"
    assert metrics["certificate"]["full"]["lead"] > 0 and "exact_match" in metrics["certificate"]["linear"]
    _, shown = pair_pictures(400)
    rows = project.json("predict", *(f"pairs/{number:04}.png" for number in range(40)))
    named = np.array([[name in row["labels"] for name in NAMES] for row in rows])
    assert (named == shown[:40]).mean() > 0.85

    suspects = project.json("review")["found"]["suspect"]
    with (project.root / "data/review/review.csv").open(newline="", encoding="utf-8") as file:
        found = [row for row in csv.DictReader(file) if row["kind"] == "suspect"]
    assert suspects >= len(found) > 0 and all(row["label"] != row["suggested"] for row in found)
    first = found[0]
    (project.root / "corrected.csv").write_text(f"digest,corrected\n{first['digest']},{first['label']}\n")
    assert "1 correction" in project.run("thaw", "review", "--apply", "corrected.csv")
    project.run("thaw", "run", "--until", "ingest")
    assert project.json("review")["found"]["suspect"] < suspects, "what a person confirmed is not asked about again"
