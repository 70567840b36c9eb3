"""A run with nothing to do is seen without Prefect, by DVC's answer and by what the last run has left in the registry."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from toy import build_toy, environment

from flows.dvc.output_parser import Outcome
from flows.runs.outcome import Selection, Transfer
from flows.runs.settled import SETTLED, STORE, asked, asking, nothing_to_do, record_settled
from tasks.project.paths import REGISTERED, TRACKED
from tasks.registry.attempt import Promotion
from tasks.registry.registering import Registered
from thaw.params.sections import Params
from thaw.params.values.reading import read_params

VERSION = Registered("toy", 3, "run", "models:/toy/3", "key")
WHOLE = Selection()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy whose stages are up to date; nobody changes it."""
    root = build_toy(tmp_path_factory.mktemp("finished") / "toy")
    subprocess.run(["dvc", "repro", "--quiet"], cwd=root, env=environment(), check=True)
    return root


@pytest.fixture
def root(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it with the files of a registered model."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    root = shutil.copytree(finished, tmp_path / "toy")
    for path in (STORE, TRACKED, REGISTERED):
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text("{}")
    fields = {name: value for name, value in vars(VERSION).items() if name != "made"}
    (root / REGISTERED).write_text(json.dumps(fields))
    return root


def params_of(root: Path, *, automatic: bool) -> Params:
    params = read_params(root / "params.yaml")
    return params.model_copy(update={"promotion": params.promotion.model_copy(update={"automatic": automatic})})


def decided(promoted: bool) -> Promotion:
    return Promotion("toy", 3, 3 if promoted else 2, promoted=promoted, moved=False, reason="" if promoted else "worse")


def test_an_answer_of_dvc_holds_for_one_run(root: Path) -> None:
    with asking():
        assert asked.get() is None
        nothing_to_do(root, params_of(root, automatic=True), WHOLE)
        assert asked.get() is not None
    assert asked.get() is None


def test_a_champion_stays_the_champion_until_something_is_written(root: Path) -> None:
    params = params_of(root, automatic=True)
    assert nothing_to_do(root, params, WHOLE) is None, "no run has left anything yet"
    record_settled(root, params, Transfer((), VERSION, decided(promoted=True)))
    outcome = nothing_to_do(root, params, WHOLE)
    assert outcome is not None and outcome.nothing_to_do and outcome.registered == VERSION
    assert {result.outcome for result in outcome.stages} == {Outcome.UP_TO_DATE} and len(outcome.stages) == 4
    assert str(outcome.promotion) == "version 3 is the champion already" and not outcome.promotion.moved
    held = nothing_to_do(root, params, WHOLE, promote=False)
    assert held is not None and held.promotion is None

    for path in (STORE, TRACKED, REGISTERED):
        os.utime(root / path, ns=(1, 1))
        assert nothing_to_do(root, params, WHOLE) is None, f"{path} was written"
        record_settled(root, params, Transfer((), VERSION, decided(promoted=True)))
    assert nothing_to_do(root, params_of(root, automatic=False), WHOLE) is None, "other parameters"


def test_what_the_gates_refused_is_asked_again(root: Path) -> None:
    params = params_of(root, automatic=True)
    record_settled(root, params, Transfer((), VERSION, decided(promoted=True)))
    for outcome in (Transfer((), VERSION, decided(promoted=False)), Transfer((), VERSION), Transfer(())):
        record_settled(root, params, outcome)
        assert not (root / SETTLED).exists() and nothing_to_do(root, params, WHOLE) is None


def test_without_automatic_promotion_there_is_none(root: Path) -> None:
    params = params_of(root, automatic=False)
    record_settled(root, params, Transfer((), VERSION))
    outcome = nothing_to_do(root, params, WHOLE)
    assert outcome is not None and outcome.registered == VERSION and outcome.promotion is None


def test_a_server_elsewhere_is_asked(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    params = params_of(root, automatic=True)
    record_settled(root, params, Transfer((), VERSION, decided(promoted=True)))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    assert nothing_to_do(root, params, WHOLE) is None


def test_a_changed_stage_is_something_to_do(root: Path) -> None:
    params = params_of(root, automatic=True)
    until = nothing_to_do(root, params, Selection(until="left"))
    assert until is not None and [result.stage for result in until.stages] == ["first", "left"]
    (root / "input.txt").write_text("2")
    assert nothing_to_do(root, params, Selection(until="left")) is None
    pipeline = asked.get()
    assert pipeline is not None and "first" in pipeline.changes, "the run that follows need not ask again"


def test_damage_is_as_no_record(root: Path) -> None:
    (root / SETTLED).write_text("{")
    assert nothing_to_do(root, params_of(root, automatic=True), WHOLE) is None


def test_prefect_and_mlflow_are_not_loaded(root: Path) -> None:
    code = (
        "import sys; sys.argv = ['thaw', 'run', '--until', 'last']\n"
        "from flows.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*[name for name in ('prefect', 'mlflow', 'torch') if name in sys.modules])"
    )
    own = {"PYTHONPATH": str(Path.cwd())}
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=environment() | own, capture_output=True, text=True, check=True
    )
    assert "Nothing to do: every stage is up to date." in shown.stdout and not shown.stdout.splitlines()[-1]
