"""Versions that older code has registered: they answer as they did, and the gates decide about them as they did."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from registration import copy_empty_store, inside
from written_before import EXPECTED, lay_backbone, register, unpack, version_of

from tasks.project.dvc_lock import parse_lock
from tasks.registry.gate_evidence import gather
from tasks.registry.promotion import promote
from tasks.registry.registry import CHALLENGER, CHAMPION, Registry, open_registry
from thaw.dataset.manifest import read_manifest
from thaw.gates.outcome import Verdict
from thaw.gates.paired_test import Figures
from thaw.kinds.kind import Limits
from thaw.models.gallery import read_gallery
from thaw.models.prediction.predictor import Predictor
from thaw.params.sections import Params, RegistryParams, StatisticsParams

MODELS = ("one_label", "open_set", "label_sets")
LIMITS = Limits(10**8)
ANSWER = """
import json, sys, mlflow
answers = mlflow.pyfunc.load_model(sys.argv[1]).predict(sys.argv[2:])
import thaw
assert thaw.__file__.startswith(sys.argv[1]), "not the version's own code"
plain = lambda value: list(value) if isinstance(value, (list, tuple)) else value if isinstance(value, str) else float(value)
print(json.dumps({name: [plain(value) for value in answers[name]] for name in answers.columns}))
"""
"""As whoever has MLflow alone asks a version."""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = unpack("models", tmp_path_factory.mktemp("models"))
    for name in MODELS:
        lay_backbone(root / "models" / name / "artifacts/model")
    return root


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack("records", tmp_path_factory.mktemp("records"))


@pytest.mark.parametrize("name", MODELS)
def test_the_code_of_a_version_answers_as_recorded(name: str, models: Path, warm: Path) -> None:
    inputs = [str(models / path) for path in EXPECTED[name]["inputs"]]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    folder = str(models / "models" / name)
    ended = subprocess.run(
        [warm / "forked", "-c", ANSWER, folder, *inputs],
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    answers = json.loads(ended.stdout.splitlines()[-1])
    expected = EXPECTED[name]["predicted"]
    assert [*answers] == [*expected]
    for column, values in expected.items():
        if column in ("label", "labels"):
            assert answers[column] == values
        else:
            assert np.allclose(answers[column], values, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_the_code_of_today_answers_the_same(name: str, models: Path) -> None:
    predictor = Predictor.read(models / "models" / name / "artifacts/model")
    contents = [(models / path).read_bytes() for path in EXPECTED[name]["inputs"]]
    answer = predictor.predict([predictor.prepare(content, LIMITS) for content in contents])
    expected = EXPECTED[name]["predicted"]
    for place, label in enumerate(answer.class_names):
        assert np.allclose(answer.probabilities[:, place], expected[f"p_{label}"], rtol=1e-6, atol=1e-6)
    assert answer.labels == expected["labels" if name == "label_sets" else "label"]


@pytest.fixture
def registry(records: Path, empty_store: Path, tmp_path: Path) -> Iterator[Registry]:
    """The model `photos` of two versions, with their history; the first is the champion, the second challenges it."""
    with inside(copy_empty_store(empty_store, tmp_path)):
        registry = open_registry(RegistryParams(name="photos"))
        for name in ("one_label", "open_set"):
            register(registry, records / "versions" / name)
        registry.set_alias(CHAMPION, 1)
        registry.set_alias(CHALLENGER, 2)
        for number, event in enumerate(told(records, "open_set")[:1], start=1):
            registry.client.set_registered_model_tag("photos", f"promotion.{number:06}.x", event)
        yield registry


def told(records: Path, name: str) -> list[str]:
    """The history of promotions, entry by entry."""
    return list(version_of(records / "versions" / name)["history"])


def test_the_gates_decide_as_they_did(registry: Registry, records: Path) -> None:
    params = Params(registry=RegistryParams(name="photos"), statistics=StatisticsParams(bootstrap=200))
    promotion = promote(params)
    recorded = json.loads(told(records, "open_set")[1])
    assert promotion.promoted and promotion.moved and promotion.figures == Figures(**recorded["figures"])
    verdicts = {gate.gate: str(gate.verdict) for gate in promotion.gates}
    assert verdicts == {gate["gate"]: gate["verdict"] for gate in recorded["gates"]} | {
        "anchor": "pass",
        "slices": "not asked",
    }
    first, second = registry.history()
    assert (first.kind, first.version, first.former) == ("promote", 1, None)
    assert len(first.gates) + 2 == len(second.gates), "the anchor and the slices were no gates then"
    assert (second.version, second.former, dict(second.figures)) == (2, 1, recorded["figures"])


@pytest.mark.parametrize(("name", "rows"), [("one_label", 30), ("open_set", 30), ("label_sets", 20)])
def test_what_the_gates_and_serving_read_of_a_version_is_whole(
    name: str, rows: int, records: Path, empty_store: Path, tmp_path: Path
) -> None:
    folder = records / "versions" / name
    with inside(copy_empty_store(empty_store, tmp_path)):
        registry = open_registry(RegistryParams(name=name))
        register(registry, folder)
        evidence = gather(registry, None, registry.version(1))
    assert len(evidence.challenger.digests) == rows
    assert evidence.checks is not None and evidence.cost is not None and evidence.parity is not None
    assert len(read_gallery(folder / "report/gallery.parquet")) > 0
    assert read_manifest(folder / "manifest.parquet").multilabel == (name == "label_sets")


def test_refusals_of_before_are_read(records: Path) -> None:
    from tasks.registry.promotion_history import event_from_json

    (text,) = told(records, "label_sets")
    event = event_from_json(text, "here")
    assert event.kind == "refuse" and "near-copies" in event.reason
    assert [gate.gate for gate in event.gates if gate.verdict is Verdict.FAIL] == ["near-copies"]


def test_the_lock_of_a_run_of_before_is_read(records: Path) -> None:
    folder = records / "versions/digits"
    stages = {stage.name: stage for stage in parse_lock((folder / "lineage/dvc.lock").read_text(encoding="utf-8"))}
    assert stages["ingest"].params["dataset.source"] == "data/sources/digits"
    assert stages["evaluate"].outs[0].path == "data/report"
    assert version_of(folder)["version_tags"]["thaw.test.n"] == "868"
