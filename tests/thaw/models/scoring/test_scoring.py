"""Scoring a stream: each image once, nothing twice, nothing lost, and no more in memory than what is under way."""

import json
import subprocess
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from digit_pairs import pair_features
from openness_rows import opened_predictor, pictures, predictor_on_digits
from PIL import Image
from scored import LIMITS, layer_of, png, rows_of, score_into, scorer_into, write_pngs

from thaw.features.store.store import FeatureStore
from thaw.foundation.errors import BadArtifact, Unreachable
from thaw.foundation.files.atomic import digest_bytes
from thaw.heads import fit_head
from thaw.kinds.kind import Limits
from thaw.models.prediction.predictor import Predictor
from thaw.models.scoring import featuring, fetching, scoring
from thaw.models.scoring.names import Input
from thaw.models.scoring.places import LocalFile
from thaw.models.scoring.scoring import parts_of
from thaw.models.scoring.table import read_scored_by
from thaw.params.sections import HeadParams

SUPPORT = Path(__file__).parents[3] / "support"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are read."""
    seen: list[str] = []
    read = LocalFile.read

    def counted(file: LocalFile, limits: Limits) -> bytes:
        seen.append(file.path.name)
        return read(file, limits)

    monkeypatch.setattr(LocalFile, "read", counted)
    return seen


def test_it_says_what_the_predictor_says_of_each_image_and_why_not_of_others(tmp_path: Path) -> None:
    photos, model = tmp_path / "photos", opened_predictor()
    photos.mkdir()
    for number, pixels in enumerate(pictures(200, 20)):
        Image.fromarray(pixels).save(photos / f"{number:02}.png")
    (photos / "07.png").write_bytes(b"no picture")
    (photos / "09.png").write_bytes(b"")
    (photos / "11.png").unlink()
    (photos / "11.png").symlink_to("gone")
    scored = score_into(
        tmp_path / "out" / "scores.parquet", scorer_into(FeatureStore(tmp_path / "own"), predictor=model), photos
    )
    rows = rows_of(scored.path)
    bad = {Path(row["path"]).name: row["reason"] for row in rows if row["reason"]}
    assert list(bad) == ["07.png", "09.png", "11.png"] and "not an image" in bad["07.png"] and "empty" in bad["09.png"]
    assert "leads nowhere" in bad["11.png"] and rows[11]["digest"] is None and rows[7]["label"] is None
    good = [row for row in rows if not row["reason"]]
    contents = [Path(row["path"]).read_bytes() for row in good]
    said = model.predict([model.prepare(content, LIMITS) for content in contents])
    assert [row["label"] for row in good] == list(said.labels) and "neither" in {row["label"] for row in good}
    assert np.allclose([row["probabilities"] for row in good], said.probabilities, atol=1e-4)
    assert np.allclose([row["known_score"] for row in good], said.known_scores, atol=1e-3)
    assert [row["digest"] for row in good] == [digest_bytes(content) for content in contents]
    assert (scored.examples, scored.rejected, scored.computed) == (40, 3, len(set(contents)))
    assert sum(scored.labels.values()) == 37 and scored.answers == ("label", "confidence", "known_score")
    assert read_scored_by(scored.path) == scored.by and scored.by.scored_at.endswith("+00:00")
    assert [path.name for path in scored.path.parent.iterdir()] == ["scores.parquet"]


def test_a_model_of_label_sets_names_sets(tmp_path: Path) -> None:
    plain, features = predictor_on_digits(), pair_features(120)
    head = fit_head(features, None, HeadParams(l2=(0.01,), folds=3))
    model = Predictor(plain.backbone, head, plain.layer)
    scored = score_into(
        tmp_path / "x.parquet",
        scorer_into(FeatureStore(tmp_path / "own"), predictor=model),
        write_pngs(tmp_path / "a", 5),
    )
    rows = rows_of(scored.path)
    said = model.predict([model.prepare(png(number), LIMITS) for number in range(5)])
    assert [row["labels"] for row in rows] == said.labels and {row["label"] for row in rows} == {None}
    assert np.allclose([row["probabilities"] for row in rows], said.probabilities, atol=1e-4)
    assert scored.answers == ("labels",)


def test_copies_cost_one_pass_and_what_another_store_has_costs_none(tmp_path: Path, passes: list[int]) -> None:
    photos, training = write_pngs(tmp_path / "photos", 20), FeatureStore(tmp_path / "training")
    for number in range(20):
        (photos / f"copy {number}.png").write_bytes(png(number))
    first = score_into(tmp_path / "1.parquet", scorer_into(training), photos, part_rows=7)
    assert first.computed == sum(passes) == 20
    before = {path: path.stat().st_mtime_ns for path in training.root.rglob("*")}
    passes.clear()
    own = FeatureStore(tmp_path / "own")
    write_pngs(photos, 3, first=100)
    second = score_into(tmp_path / "2.parquet", scorer_into(own, training), photos)
    assert second.computed == sum(passes) == 3 and second.examples == 43
    assert {path: path.stat().st_mtime_ns for path in training.root.rglob("*")} == before
    assert len(own.digests(layer_of(predictor_on_digits()).fingerprint, "flatten")) == 3
    same = {row["digest"]: row["probabilities"] for row in rows_of(first.path)}
    # Parts of another size may round the last bit of a product another way.
    again = [(same[row["digest"]], row["probabilities"]) for row in rows_of(second.path) if row["digest"] in same]
    assert len(again) == 40 and np.allclose(*zip(*again, strict=True), rtol=0, atol=1e-6)


def test_images_and_rows_in_memory_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photos, count, workers, part = write_pngs(tmp_path / "photos", 2000), 2000, 2, 128
    held: weakref.WeakSet[Any] = weakref.WeakSet()
    named: weakref.WeakSet[Any] = weakref.WeakSet()
    most = {"images": 0, "names": 0, "rows": 0}

    def watched(inputs: Any, limits: Limits) -> Any:
        for one in fetching_fetch(inputs, limits):
            held.add(one.file)
            most["images"] = max(most["images"], len(held))
            most["names"] = max(most["names"], len(named))
            yield one

    def counted(one: Input) -> None:
        named.add(one)

    def built(rows: Any, said: Any) -> Any:
        most["rows"] = max(most["rows"], len(rows))
        return build(rows, said)

    fetching_fetch, build = fetching.fetch, scoring.build_table
    monkeypatch.setattr(featuring, "fetch", watched)
    monkeypatch.setattr(scoring, "build_table", built)
    monkeypatch.setattr(Input, "__post_init__", counted, raising=False)
    scored = score_into(
        tmp_path / "x.parquet", scorer_into(FeatureStore(tmp_path / "own"), workers=workers), photos, part_rows=part
    )
    assert (scored.examples, scored.computed) == (count, count)
    assert most["images"] <= fetching.AHEAD + 32 + (workers + 3) * 16
    assert most["names"] <= 2 * part + fetching.AHEAD and most["rows"] == part
    assert pq.ParquetFile(scored.path).num_row_groups == -(-count // part)


def test_a_run_that_failed_goes_on_and_reads_no_finished_part_again(
    tmp_path: Path, passes: list[int], reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    photos, output, store = write_pngs(tmp_path / "photos", 50), tmp_path / "x.parquet", FeatureStore(tmp_path / "own")
    told: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        told.append((done, total))
        if done >= 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_into(output, scorer_into(store), photos, part_rows=10, progress=stop)
    assert told == sorted(told) and not output.exists()
    finished = len(list(parts_of(output).glob("part-*.parquet")))
    kept = len(store.digests(layer_of(predictor_on_digits()).fingerprint, "flatten"))
    assert finished >= 2
    passes.clear(), reads.clear()
    again = score_into(output, scorer_into(store), photos, part_rows=10)
    assert sum(passes) == again.computed == 50 - kept
    assert len(reads) == 50 - 10 * finished and again.examples == 50
    assert not parts_of(output).exists()


def test_where_a_place_stops_answering_what_was_computed_is_kept(
    tmp_path: Path, passes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    photos, output, store = write_pngs(tmp_path / "photos", 160), tmp_path / "x.parquet", FeatureStore(tmp_path / "own")
    read = LocalFile.read

    def stopping(file: LocalFile, limits: Limits) -> bytes:
        if file.path.name == "00150.png":
            raise Unreachable("the server does not answer")
        return read(file, limits)

    with monkeypatch.context() as patch, pytest.raises(Unreachable):
        patch.setattr(LocalFile, "read", stopping)
        score_into(output, scorer_into(store), photos, part_rows=1000)
    kept = len(store.digests(layer_of(predictor_on_digits()).fingerprint, "flatten"))
    passes.clear()
    assert score_into(output, scorer_into(store), photos, part_rows=1000).computed == sum(passes) == 160 - kept < 110


def test_a_file_that_changed_between_two_tries_is_scored_as_it_is_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos, output, store = write_pngs(tmp_path / "photos", 20), tmp_path / "x.parquet", FeatureStore(tmp_path / "own")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(scoring, "write_scores", stop)
        score_into(output, scorer_into(store), photos, part_rows=10)
    (photos / "00003.png").write_bytes(png(999))
    scored = score_into(output, scorer_into(store), photos, part_rows=10)
    assert rows_of(scored.path)[3]["digest"] == digest_bytes(png(999)) and scored.computed == 1


def test_a_part_that_was_damaged_is_told_of_and_made_again(tmp_path: Path, passes: list[int]) -> None:
    photos, output, store = write_pngs(tmp_path / "photos", 20), tmp_path / "x.parquet", FeatureStore(tmp_path / "own")

    def harm(done: int, total: int) -> None:
        for part in parts_of(output).glob("part-*.parquet") if done == total else ():
            part.write_bytes(b"torn")

    with pytest.raises(BadArtifact, match="gone or damaged"):
        score_into(output, scorer_into(store), photos, part_rows=20, progress=harm)
    for part in parts_of(output).glob("part-*.parquet"):
        part.write_bytes(b"torn")
    passes.clear()
    assert score_into(output, scorer_into(store), photos, part_rows=20).examples == 20 and not passes


def test_killed_anywhere_nothing_is_lost_and_nothing_computed_twice(tmp_path: Path, warm: Path) -> None:
    write_pngs(tmp_path / "photos", 60)
    steps = ["features", "part", "join", "replace", "run"]
    command = [str(warm / "forked"), str(SUPPORT / "killed_scoring.py"), str(tmp_path), *steps]
    found = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert found.returncode == 0, found.stderr
    said = [json.loads(line) for line in found.stdout.splitlines()]
    assert [one["ended"] for one in said] == [-9, -9, -9, -9, 0]
    assert sum(one["passes"] for one in said) == 60, "each image went through the network once in all"
    assert [one["whole"] for one in said] == [False, False, False, True, True]
    rows = rows_of(tmp_path / "x.parquet")
    assert sorted(row["digest"] for row in rows) == sorted(digest_bytes(png(number)) for number in range(60))
    assert not list(tmp_path.rglob(".*")), "nothing half-written is left"


def test_another_network_has_its_own_features(tmp_path: Path, passes: list[int]) -> None:
    photos, store, plain = write_pngs(tmp_path / "photos", 6), FeatureStore(tmp_path / "own"), predictor_on_digits()
    score_into(tmp_path / "1.parquet", scorer_into(store), photos)
    passes.clear()
    tuned = replace(plain, backbone=plain.backbone.randomised(1))
    scored = score_into(tmp_path / "2.parquet", scorer_into(store, predictor=tuned), photos)
    said = tuned.predict([tuned.prepare(png(number), LIMITS) for number in range(6)])
    assert sum(passes) == 6 and len(list(store.root.iterdir())) == 2
    assert np.allclose([row["probabilities"] for row in rows_of(scored.path)], said.probabilities, atol=1e-4)
