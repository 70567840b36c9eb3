"""What `thaw review` does, on pictures that the earlier stages took."""

import shutil
from pathlib import Path

import pytest
import torch
from registration import inside
from stage_runs import run_stage

from tasks.project.paths import FEATURES, FEATURES_INDEX, MANIFEST, STRATEGY
from tasks.requests.review import PAGE, TABLE, apply, review
from tasks.stages import extract, finetune, ingest
from thaw.dataset.corrections import CORRECTIONS, LEAVE_OUT, read_corrections
from thaw.dataset.manifest import read_manifest
from thaw.features.store.store import FeatureStore, read_index
from thaw.foundation.errors import BadArtifact, BadSource, BadTable
from thaw.foundation.files.csv_tables import read_rows, write_rows
from thaw.params.values.strategy import Strategy, read_strategy, write_strategy
from thaw.review.findings import COLUMNS

WRONG = "photos/train/dark/was-light.png"


@pytest.fixture(scope="module")
def template(built_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = Path(shutil.copytree(built_project, tmp_path_factory.mktemp("template") / "project"))
    with inside(root):
        Path("photos/train/light and bright/0.png").rename(WRONG)
        Path("photos/test/dark/19.png").rename("photos/test/light and bright/was-dark.png")
        for number in range(6):
            Path(f"photos/test/dark/{number}.png").rename(f"photos/train/loose-{number}.png")
        run_stage(ingest)
        run_stage(extract)
    return root


def listed(kind: str) -> list[dict[str, str]]:
    return [row for row in read_rows(TABLE, COLUMNS) if row["kind"] == kind]


def fill_in(answers: dict[str, str]) -> Path:
    rows = [row | {"corrected": answers.get(row["path"], "")} for row in read_rows(TABLE, COLUMNS)]
    write_rows(Path("corrected.csv"), COLUMNS, [[row[name] for name in COLUMNS] for row in rows])
    return Path("corrected.csv")


def test_wrong_labels_of_training_and_test_are_found_and_unlabelled_images_proposed(project: Path) -> None:
    found = review(limit=4)
    suspects = {row["path"]: row for row in listed("suspect")}
    assert {"train/dark/was-light.png", "test/light and bright/was-dark.png"} <= suspects.keys()
    assert suspects["train/dark/was-light.png"]["suggested"] == "light and bright"
    assert suspects["test/light and bright/was-dark.png"]["split"] == "test"
    assert (found.totals["unlabelled"], found.listed["unlabelled"], len(listed("unlabelled"))) == (6, 4, 4)
    assert {row["suggested"] for row in listed("unlabelled")} == {"dark"}
    page = PAGE.read_text()
    assert page.count("<img ") == len(read_rows(TABLE, COLUMNS))
    before = TABLE.read_bytes(), PAGE.read_bytes()
    review(limit=4)
    assert (TABLE.read_bytes(), PAGE.read_bytes()) == before, "the same inputs give the same bytes"


def test_without_a_backbone_labels_are_judged_by_the_plain_model(project: Path) -> None:
    write_strategy(Strategy("plain", read_strategy(STRATEGY).layer), STRATEGY)
    run_stage(finetune)
    store, layer = FeatureStore(FEATURES), read_index(FEATURES_INDEX).layer(None)
    digests = store.digests(layer.fingerprint, layer.name).to_pylist()
    for part in store.parts(layer):
        part.unlink()
    noise = torch.randn(len(digests), layer.dim, generator=torch.Generator().manual_seed(0))
    store.write(layer, digests, noise, {})
    found = review(limit=4)
    suspects = {row["path"] for row in listed("suspect")}
    assert {"train/dark/was-light.png", "test/light and bright/was-dark.png"} <= suspects, (
        "the backbone knows nothing here"
    )
    assert found.listed["unlabelled"] == 4 and {row["suggested"] for row in listed("unlabelled")} == {"dark"}


def test_the_way_round_from_the_table_to_the_manifest_and_back(project: Path) -> None:
    review(limit=50)
    answers = {
        "train/dark/was-light.png": "light and bright",
        "test/light and bright/was-dark.png": LEAVE_OUT,
        "train/loose-0.png": "grey",
    }
    file = fill_in(answers)
    with pytest.raises(BadTable, match="--new-class 'grey'"):
        apply(file, new_classes=[], dry_run=False)
    assert not CORRECTIONS.exists()
    planned = apply(file, new_classes=["grey"], dry_run=True)
    assert not CORRECTIONS.exists()
    assert {one.path: one.after for one in planned.changes} == answers
    assert [one.before for one in planned.changes] == ["light and bright", "dark", ""]
    apply(file, new_classes=["grey"], dry_run=False)
    assert apply(file, new_classes=[], dry_run=False).changes == (), "what is known is nothing new, its class neither"

    parts = sorted(FEATURES.rglob("part-*"))
    run_stage(ingest)
    run_stage(extract)
    assert sorted(FEATURES.rglob("part-*")) == parts, "no feature was computed"
    labels = {row.path: row.label for row in read_manifest(MANIFEST).examples()}
    assert labels["train/dark/was-light.png"] == "light and bright" and labels["train/loose-0.png"] == "grey"
    assert "test/light and bright/was-dark.png" not in labels
    review(limit=50)
    assert not answers.keys() & {row["path"] for row in read_rows(TABLE, COLUMNS)}
    assert [tuple(row.values()) for row in read_rows(Path("data/ingest/corrections.csv"), ("path", "from", "to"))] == [
        ("test/light and bright/was-dark.png", "light and bright", LEAVE_OUT),
        ("train/dark/was-light.png", "dark", "light and bright"),
        ("train/loose-0.png", "", "grey"),
    ]


def test_a_label_that_is_confirmed_is_not_asked_about_again(project: Path) -> None:
    review(limit=50)
    apply(fill_in({"train/dark/was-light.png": "dark"}), new_classes=[], dry_run=False)
    assert len(read_corrections(CORRECTIONS)) == 1
    review(limit=50)
    assert "train/dark/was-light.png" not in {row["path"] for row in listed("suspect")}


def test_later_decisions_hold_and_what_was_left_out_can_come_back(project: Path) -> None:
    review(limit=50)
    path = "train/dark/was-light.png"
    apply(fill_in({path: LEAVE_OUT}), new_classes=[], dry_run=False)
    run_stage(ingest)
    assert path not in {row.path for row in read_manifest(MANIFEST).examples()}
    (change,) = apply(fill_in({path: "dark"}), new_classes=[], dry_run=False).changes
    assert (change.before, change.after) == (LEAVE_OUT, "dark")


def test_an_image_that_changed_is_named_and_nothing_is_written(project: Path) -> None:
    Path(WRONG).write_bytes(Path(WRONG).read_bytes() + b"more")
    with pytest.raises(BadSource, match="changed since it was ingested"):
        review(limit=50)
    assert not TABLE.exists() and not PAGE.exists()


def test_without_features_it_says_which_stage_makes_them(project: Path) -> None:
    Path("data/features.json").unlink()
    with pytest.raises(BadArtifact, match="thaw run --stage extract"):
        review(limit=50)
