"""The stages on a listing of label sets, one after the other, and what they refuse."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from digit_pairs import NAMES, write_pairs
from registration import inside
from sklearn.metrics import f1_score
from stage_runs import run_stage

from tasks.project.local_state import BASELINES
from tasks.requests import rank, review
from tasks.stages import advise, compare, extract, finetune, head, ingest, settings
from tasks.stages.evaluate import stage as evaluate
from thaw.dataset.manifest import read_manifest
from thaw.drift.reference import read_reference
from thaw.evaluation.certificate.page import render_certificate
from thaw.foundation.errors import BadParameters
from thaw.foundation.files.csv_tables import read_rows, write_rows
from thaw.heads import read_head
from thaw.kinds.images.kind import KIND
from thaw.params.values.strategy import read_strategy
from thaw.review.findings import COLUMNS
from thaw.strategies.advice.record import read_advice
from thaw.strategies.certificate.record import read_certificate
from thaw.targets.predictions import read_predictions

WEIGHTS = Path(__file__).parents[3] / "data/pretrain/small.safetensors"
PARAMS = f"""\
dataset: {{source: pairs, listing: pairs.csv, splits: {{val: 0, test: 0.4}}}}
backbone: {{weights: {WEIGHTS}, layers: [blocks]}}
strategy: {{minutes: 0}}
head: {{l2: [0.1, 0.01], folds: 3}}
compare: {{strategies: [linear, cut, last_blocks], seeds: 2}}
finetune: {{epochs: 1, augment: none, precision: float32, scratch: {{epochs: 1}}}}
evaluate: {{baselines: [majority, pixels, random_backbone], mistakes: 3, seeds: 1}}
statistics: {{bootstrap: 50}}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pairs")
    write_pairs(root / "pairs", 220)
    (root / "params.yaml").write_text(PARAMS)
    with inside(root):
        for stage in (ingest, extract, advise, head, finetune, compare, evaluate):
            run_stage(stage)
    return root


@pytest.fixture
def here(project: Path) -> Iterator[Path]:
    with inside(project):
        yield project
        (project / "params.yaml").write_text(PARAMS)


def test_every_file_that_later_stages_and_dvc_expect_is_there(project: Path) -> None:
    data = project / "data"
    assert read_strategy(data / "strategy.json").kind == "cut", "two digits: the last layer has lost where they are"
    for name in ("advice.json", "advice/advice.html", "predicted.json", "certificate.json", "finetuned/finetuned.json"):
        assert (data / name).exists(), name
    for name in ("confusion.csv", "reliability.csv", "report.html", "metrics.json", "predictions.parquet"):
        assert (data / "report" / name).stat().st_size, name
    assert read_head(data / "head").target_name == "label_sets"
    parity = json.loads((data / "report/parity.json").read_text())
    assert parity["pixels"]["labels_equal"] == parity["exported"]["labels_equal"] == 1
    trials = (data / "head/trials.csv").read_text().splitlines()
    assert len(trials) == 3


def test_the_reference_holds_the_sets_that_the_model_names(project: Path) -> None:
    known = read_reference(project / "data/report/reference.parquet")
    said = read_predictions(project / "data/report/predictions.parquet")
    place = {digest: row for row, digest in enumerate(said.digests)}
    assert np.array_equal(known.rows.named, said.named[[place[digest] for digest in known.rows.digests]])
    assert known.class_names == said.class_names and known.rows.confidences is None and known.unseen.all()


def test_suspect_sets_are_counted_for_the_gate(project: Path) -> None:
    suspects = json.loads((project / "data/report/checks.json").read_text())["suspects"]
    assert 230 < suspects["labels"] <= 260, "two digits on 130 pictures, but for pictures of one twice"
    assert 0 < suspects["suspects"] < 0.3 * suspects["labels"]


def test_the_metrics_are_those_of_the_predictions(project: Path) -> None:
    found = json.loads((project / "data/report/metrics.json").read_text())
    said = read_predictions(project / "data/report/predictions.parquet")
    assert found["test"]["n"] == len(said)
    assert found["test"]["macro_f1"] == pytest.approx(f1_score(said.targets, said.named, average="macro"))
    assert found["test"]["exact_match"] == pytest.approx((said.targets == said.named).all(1).mean())
    thresholds = np.array(read_head(project / "data/head").thresholds)
    assert np.array_equal(said.named, said.probabilities >= thresholds.astype(np.float32))
    assert found["baselines"].keys() == {"majority"} and found["certificate"]["cut"].keys() >= {
        "exact_match",
        "macro_f1",
    }
    transfer = found["transfer"]
    assert transfer.keys() == {"seeds", "frozen", "pixels", "random_backbone"}
    assert transfer["frozen"] == pytest.approx(found["test"]["macro_f1"], abs=0.05)
    assert transfer["pixels"]["macro_f1"] == pytest.approx(transfer["frozen"] - transfer["pixels"]["difference"])
    assert found["advice"]["realised"] == found["test"]["macro_f1"]
    assert found["test"]["macro_f1"] > found["baselines"]["majority"]["macro_f1"] + 0.1


def test_the_same_inputs_give_the_same_files(here: Path) -> None:
    names = ("data/head/head.json", "data/head/head.safetensors", "data/report/metrics.json", "data/report/report.html")

    def written() -> list[bytes]:
        """A time is never the same."""
        return [re.sub(rb"<dt>Latency</dt>.*", b"", (here / name).read_bytes()) for name in names]

    before = written()
    shutil.rmtree(here / BASELINES)  # measured again
    run_stage(head)
    run_stage(evaluate)
    assert written() == before


@pytest.mark.parametrize(
    ("change", "stage", "says"),
    [
        ("openness: {score: energy}", head.main, "openness.score: energy"),
    ],
)
def test_what_is_for_single_labels_is_refused_in_words(
    here: Path, change: str, stage: Callable[[], None], says: str
) -> None:
    (here / "params.yaml").write_text(f"{PARAMS}{change}\n")
    settings.main()
    with pytest.raises(BadParameters, match=says):
        stage()


def test_the_advice_is_judged_by_macro_f1(project: Path) -> None:
    advice = read_advice(project / "data/advice.json")
    assert advice.target == "label_sets" and advice.curve is not None and len(advice.layers) > 1
    assert advice.followed.predicted is not None
    (metrics,) = [json.loads((project / "data/report/metrics.json").read_text())["test"]]
    assert advice.followed.predicted.low - 0.1 < metrics["macro_f1"] < advice.followed.predicted.high + 0.1


def test_every_strategy_is_compared_by_macro_f1(project: Path) -> None:
    found = read_certificate(project / "data/certificate.json")
    assert found is not None and found.target == "label_sets" and not found.skipped
    assert {entry.name for entry in found.entries} == {
        "linear", "cut", "last block", "plain", "random_backbone", "scratch", "majority"
    }  # fmt: skip
    every = found.entry("majority").score
    assert 0.2 < every.macro_f1.value < 0.5 and every.accuracy.value < 0.1, "every label on every picture"
    lead = found.entry("cut").lead
    assert found.strategy == "cut" and lead is not None and lead.macro_f1.low > 0
    verdicts = {ruling.over: ruling.verdict for ruling in found.rulings}
    assert verdicts["majority"] == "helps"
    page = render_certificate(found, "pairs", KIND.words)
    assert "reaches a macro F1 of" in page and "always naming every label" in page and "Exact match" in page


def test_backbones_are_ranked_by_macro_f1(here: Path) -> None:
    ranking = rank.rank([str(WEIGHTS), "thaw_small.random"])
    assert ranking.target == "label_sets" and len(ranking.backbones) == 3
    best = ranking.backbones[0]
    assert 0.3 < best.accuracy.low < best.accuracy.value < best.accuracy.high < 1


def test_a_wrong_set_is_found_corrected_and_learnt_from(here: Path) -> None:
    table = here / "pairs/pairs.csv"
    whole = table.read_text()
    rows = whole.splitlines()
    right = {row.partition(",")[0]: row.partition(",")[2] for row in rows[1:]}
    wrong = "0000.png"
    table.write_text("\n".join([rows[0], f"{wrong},", *rows[2:]]) + "\n")  # without a label
    run_stage(ingest)
    run_stage(extract)
    reviewed = review.review(5)
    found = read_rows(here / reviewed.table, COLUMNS)
    (unlabelled,) = (row for row in found if row["kind"] == "unlabelled")
    assert unlabelled["path"] == wrong and set(unlabelled["suggested"].split("|")) <= {*NAMES, ""}
    assert "<details>" in (here / reviewed.page).read_text()
    write_rows(here / "back.csv", ("digest", "corrected"), [(unlabelled["digest"], right[wrong])])
    applied = review.apply(here / "back.csv", new_classes=[], dry_run=False)
    assert [(one.path, one.after) for one in applied.changes] == [(wrong, right[wrong])]
    run_stage(ingest)
    (example,) = (one for one in read_manifest(here / "data/manifest.parquet").examples() if one.path == wrong)
    assert "|".join(example.labels or ()) == right[wrong]
    (here / "data/corrections.csv").unlink()
    table.write_text(whole)
    run_stage(ingest)
