"""Measuring a scores table against the reference of its version, on a real SQLite store; the versions hold references and nothing else."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest
from drifting import QUICK, batch, reference, store_features, write_scores
from written import written

from tasks.registry.mlflow_store import experiment_id
from tasks.registry.registry import Registry
from tasks.requests.watch import PAGE, RECORD, measure, release_retraining
from tasks.requests.watch_history import open_history
from thaw.drift.record import DriftReport, Point
from thaw.drift.reference import write_reference
from thaw.foundation.errors import BadArtifact, RegistryError
from thaw.params.sections import Params, RegistryParams

PARAMS = Params(registry=RegistryParams(name="pets"), watch=QUICK)
CALM, BLURRED = batch(270, 120), batch(270, 120, blur=True)
SCORES = Path("data/scores")


@pytest.fixture
def registry(registry: Registry) -> Registry:
    """Version 1 of `pets` with its reference; two batches whose features are stored, one here and one there."""
    write_reference(reference(), Path("reference.parquet"))
    add_version(registry, Path("reference.parquet"))
    store_features(SCORES / "features", CALM)
    store_features(Path("data/features"), BLURRED)
    return registry


def add_version(registry: Registry, file: Path | None) -> int:
    client = registry.client
    run = client.create_run(experiment_id(client, "thaw"))
    if file is not None:
        client.log_artifact(run.info.run_id, str(file), "report")
    made = client.create_model_version(registry.name, f"runs:/{run.info.run_id}/model", run.info.run_id)
    return int(made.version)


def test_a_batch_as_before_leaves_a_report_and_a_point(registry: Registry) -> None:
    found = measure(write_scores(SCORES / "calm.parquet", CALM, unusable=2), PARAMS)
    assert not found.report.drifted and not found.repeated and found.report.left_out.unusable == 2
    assert written(DriftReport, RECORD) == found.report
    assert "No drift was found" in PAGE.read_text()
    (point,) = open_history(registry, 1).points()
    assert (point.step, point.rows) == (1, 120) and point.p_value == found.report.p_value
    assert "thaw.drift" not in registry.version(1).tags


def test_drift_tags_the_version_and_is_a_step_of_its_own(registry: Registry) -> None:
    measure(write_scores(SCORES / "calm.parquet", CALM), PARAMS)
    found = measure(write_scores(SCORES / "blurred.parquet", BLURRED), PARAMS)
    assert found.report.drifted
    tag = registry.version(1).tags["thaw.drift"]
    assert tag.startswith("2026-11-05T08:00:00+00:00: Drift was found in 120 new examples: the examples")
    history = open_history(registry, 1)
    assert [point.step for point in history.points()] == [1, 2]
    run = registry.client.get_run(history.run_id)
    assert (run.info.run_name, run.info.status) == ("version 1", "FINISHED")
    assert run.data.metrics["drift"] == 1 and run.data.metrics["auroc"] > 0.9
    assert {
        "inputs.p_value",
        "inputs.statistic",
        "neither.p_value",
        "share_neither",
        "p_value",
    } <= run.data.metrics.keys()
    told = registry.client.get_metric_history(history.run_id, "drift")
    assert [(one.step, one.value) for one in told] == [(1, 0), (2, 1)]


def test_the_same_batch_again_doubles_nothing(registry: Registry) -> None:
    path = write_scores(SCORES / "blurred.parquet", BLURRED)
    first, page = measure(path, PARAMS), PAGE.read_text()
    again = measure(path, PARAMS)
    assert again.repeated and again.report == first.report and again.batch == first.batch
    assert PAGE.read_text() == page
    assert len(open_history(registry, 1).points()) == 1


def test_a_kill_between_metrics_and_tag_doubles_nothing(registry: Registry) -> None:
    path = write_scores(SCORES / "blurred.parquet", BLURRED)
    found = measure(path, PARAMS)
    history = open_history(registry, 1)
    registry.client.delete_tag(history.run_id, f"thaw.batch.{found.batch}")
    assert not measure(path, PARAMS).repeated
    assert history.points() == (Point(1, 120, found.report.p_value, found.report.neither.new.value),)  # type: ignore[union-attr]


def test_two_at_once_make_one_point(registry: Registry) -> None:
    path = write_scores(SCORES / "calm.parquet", CALM)
    threads = [threading.Thread(target=measure, args=(path, PARAMS)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [point.step for point in open_history(registry, 1).points()] == [1]


def test_each_version_has_a_history_of_its_own(registry: Registry) -> None:
    assert add_version(registry, Path("reference.parquet")) == 2
    measure(write_scores(SCORES / "calm.parquet", CALM), PARAMS)
    measure(write_scores(SCORES / "calm.parquet", CALM, version="2"), PARAMS)
    first, second = open_history(registry, 1), open_history(registry, 2)
    assert first.run_id != second.run_id and len(first.points()) == len(second.points()) == 1


def test_retraining_is_remembered_by_the_batch_whatever_version_scored_it(registry: Registry) -> None:
    add_version(registry, Path("reference.parquet"))
    found = measure(write_scores(SCORES / "blurred.parquet", BLURRED), PARAMS)
    assert open_history(registry, 1).retrained(found.batch) is None
    open_history(registry, 1).note_retraining(found.batch)
    again = measure(write_scores(SCORES / "blurred.parquet", BLURRED, version="2"), PARAMS)
    assert open_history(registry, 2).retrained(again.batch)
    assert open_history(registry, 2).retrained("0123456789abcdef") is None
    release_retraining(found, PARAMS)
    assert open_history(registry, 2).retrained(again.batch) is None, "the training did not end well"


def test_too_few_images_are_told_of_and_alarm_nobody(registry: Registry) -> None:
    few = BLURRED.rows(np.arange(120) < 7)
    found = measure(write_scores(SCORES / "few.parquet", few), PARAMS)
    assert not found.report.enough and "too few examples to tell" in PAGE.read_text()
    (point,) = open_history(registry, 1).points()
    assert (point.rows, point.p_value) == (7, None)
    assert json.loads(RECORD.read_text())["findings"] == []


def test_what_the_model_was_measured_on_is_not_new(registry: Registry) -> None:
    known = reference().rows
    store_features(SCORES / "features", known)
    found = measure(write_scores(SCORES / "same.parquet", known), PARAMS)
    assert found.report.rows == 0 and found.report.left_out.reference == len(known)


def test_missing_features_are_named(registry: Registry) -> None:
    with pytest.raises(BadArtifact, match="120 of 120 scored examples have no features"):
        measure(write_scores(SCORES / "calm.parquet", CALM), PARAMS, stores=(Path("nowhere"),))
    assert not RECORD.exists()


def test_features_made_otherwise_are_told_of(registry: Registry) -> None:
    write_scores(SCORES / "calm.parquet", CALM, fingerprint="other")
    (folder,) = (SCORES / "features").iterdir()
    folder.rename(folder.with_name("other"))
    assert measure(SCORES / "calm.parquet", PARAMS).report.other_way
    assert "computed in another way" in PAGE.read_text()


@pytest.mark.parametrize(
    ("stated", "error", "message"),
    [
        ({"model": "birds"}, RegistryError, "scored by 'birds', and this project's model is 'pets'"),
        ({"version": "9"}, RegistryError, "no version 9"),
        ({"dim": "7"}, BadArtifact, "of different models"),
        ({"class_names": '["2", "1", "0"]'}, BadArtifact, "of different models"),
    ],
)
def test_scores_of_another_model_are_refused(
    stated: dict[str, str], error: type[Exception], message: str, registry: Registry
) -> None:
    with pytest.raises(error, match=message):
        measure(write_scores(SCORES / "calm.parquet", CALM, **stated), PARAMS)
    assert not RECORD.exists()


def test_a_version_without_a_reference_says_how_to_get_one(registry: Registry) -> None:
    number = add_version(registry, None)
    path = write_scores(SCORES / "calm.parquet", CALM, version=str(number))
    with pytest.raises(RegistryError, match=r"has no reference .* `thaw run` registers"):
        measure(path, PARAMS)
