"""The registry, on a real SQLite store below a folder of its own."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from registration import copy_empty_store, inside

from tasks.registry.mlflow_store import experiment_id, local_uri, tracking_uri
from tasks.registry.promotion_history import (
    LONGEST_WORDS,
    Event,
    champions,
    champions_before,
    event_from_json,
    in_short,
    last_move,
    next_move,
)
from tasks.registry.registry import CHALLENGER, CHAMPION, KEY, Registry, open_registry
from thaw.foundation.errors import RegistryError, Unreachable
from thaw.gates.outcome import failed, passed
from thaw.params.sections import RegistryParams


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Path]:
    """An empty folder, with a name that needs quoting nearly everywhere."""
    (folder := tmp_path / "mein Projekt é").mkdir()
    with inside(folder):
        yield folder


@pytest.fixture
def project(empty: Path, empty_store: Path) -> Path:
    """A project with a store that holds nothing."""
    copy_empty_store(empty_store, empty)
    return empty


@pytest.fixture
def registry(project: Path) -> Registry:
    return open_registry(RegistryParams(name="pets"))


def with_versions(registry: Registry, *keys: str) -> Registry:
    """A version for each key, that holds nothing."""
    client = registry.client
    experiment = experiment_id(client, "thaw")
    if not registry.versions():
        client.create_registered_model(registry.name)
    for key in keys:
        run = client.create_run(experiment)
        client.create_model_version(registry.name, f"runs:/{run.info.run_id}/model", run.info.run_id, {KEY: key})
    return registry


def event(kind: str, version: int, former: int | None = None, reason: str = "because") -> Event:
    return Event(kind, "2025-01-01T00:00:00+00:00", "me", version, former, reason)


def test_a_model_that_is_not_registered_has_nothing(registry: Registry) -> None:
    assert registry.versions() == () and registry.history() == ()
    assert registry.by_alias(CHAMPION) is None and registry.with_key("a") is None
    with pytest.raises(RegistryError, match="pets has no version 3; `thaw models`"):
        registry.version(3)


@pytest.mark.parametrize("name", ["pets", "a cat's model", "Haustiere, größer"])
def test_versions_come_newest_first_with_their_aliases(project: Path, name: str) -> None:
    registry = with_versions(open_registry(RegistryParams(name=name)), "a", "b", "a")
    registry.set_alias(CHAMPION, 1)
    registry.set_alias(CHALLENGER, 3)
    registry.set_alias(CHALLENGER, 1)
    registry.tag(2, reason="why not")
    assert [version.number for version in registry.versions()] == [3, 2, 1]
    champion = registry.by_alias(CHAMPION)
    assert champion is not None and champion.aliases == (CHALLENGER, CHAMPION)
    assert champion.uri == f"models:/{name}/1" and champion.created.tzinfo is not None
    assert registry.version(2).tags == {KEY: "b", "thaw.reason": "why not"}
    oldest = registry.with_key("a")
    assert oldest is not None and oldest.number == 1
    registry.delete(1)
    assert registry.by_alias(CHAMPION) is None, "MLflow drops the aliases of a version that is deleted"
    newer = registry.with_key("a")
    assert newer is not None and newer.number == 3


def test_names_that_look_alike_are_kept_apart(registry: Registry) -> None:
    with_versions(registry, "a")
    with_versions(open_registry(RegistryParams(name="pets2")), "b", "c")
    assert len(registry.versions()) == 1


def test_more_versions_than_one_page_holds_are_all_found(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.registry.registry._PAGE", 2)
    with_versions(registry, *"abcde")
    assert [version.number for version in registry.versions()] == [5, 4, 3, 2, 1]


def test_the_history_is_append_only_and_keeps_what_others_wrote(registry: Registry) -> None:
    with_versions(registry, "a")
    told = [event("promote", 1), event("refuse", 2, 1, "größer: 0.1 – 0.2"), event("rollback", 1, 2)]
    for one in told:
        registry.record(one)
    registry.client.set_registered_model_tag("pets", "promotion.policy", "not an entry")
    assert registry.history() == tuple(told)
    registry.client.set_registered_model_tag("pets", "promotion.000004", "{}")
    with pytest.raises(RegistryError, match=r"tag promotion.000004 of pets is no entry"):
        registry.history()


def test_no_entry_is_lost_when_many_write_at_once(registry: Registry) -> None:
    with_versions(registry, "a")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: registry.record(event("refuse", number)), range(16)))
    assert {one.version for one in registry.history()} == set(range(16))


def test_an_entry_of_a_later_version_is_read() -> None:
    text = event("promote", 2, 1).to_json().replace("{", '{"approved_by": "x", ', 1)
    assert event_from_json(text, "here") == event("promote", 2, 1)


def test_an_entry_keeps_what_the_gates_said_in_short() -> None:
    gates = in_short((failed("recall", "x" * 999, {"worst": 0.5}), passed("leakage", "none")))
    told = replace(event("refuse", 2, 1), gates=gates)
    found = event_from_json(told.to_json(), "here")
    assert found == told and found.says_the_same_as(told)
    assert [len(one.words) for one in found.gates] == [LONGEST_WORDS, 4] and found.gates[0].refuses
    assert not found.says_the_same_as(replace(told, gates=()))


@pytest.mark.parametrize("gates", ['[{"gate": "recall"}]', '[{"gate": "a", "verdict": "maybe", "words": ""}]', "7"])
def test_gates_that_are_none_are_named(gates: str) -> None:
    text = event("refuse", 2, 1).to_json().replace('"gates": []', f'"gates": {gates}')
    with pytest.raises(RegistryError, match="here is no entry"):
        event_from_json(text, "here")


def test_moves_are_counted_with_those_from_before_there_were_numbers() -> None:
    told = [event("promote", 1), event("refuse", 2, 1), event("rollback", 1, 2)]
    assert next_move([]) == 1 and next_move(told) == 3 and last_move(told) is None
    counted = replace(event("promote", 3), move=7)
    assert next_move([*told, counted]) == 8 and last_move([*told, counted]) == counted


def test_a_move_that_two_have_told_is_there_once(registry: Registry) -> None:
    with_versions(registry, "a")
    for one in (replace(event("promote", 1), move=1), event("refuse", 2), replace(event("promote", 1), move=1)):
        registry.record(one)
    assert [one.kind for one in registry.history()] == ["promote", "refuse"]


def test_two_that_write_the_same_tag_and_alias_at_once_both_succeed(registry: Registry) -> None:
    with_versions(registry, "a")

    def write(_: int) -> None:
        registry.tag(1, promotion="promote")
        registry.set_alias(CHAMPION, 1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(16)))
    assert registry.version(1).aliases == (CHAMPION,)


@pytest.mark.parametrize(
    ("told", "present", "before"),
    [
        ([], None, ()),
        ([("promote", 1)], 1, ()),
        ([("promote", 1), ("promote", 2), ("promote", 3)], 3, (2, 1)),
        ([("promote", 1), ("promote", 2), ("refuse", 3)], 2, (1,)),
        ([("promote", 1), ("promote", 2), ("rollback", 1)], 1, ()),
        ([("promote", 1), ("promote", 2), ("rollback", 1), ("promote", 3)], 3, (1,)),
        # Back to a former champion as a new challenger: rolling back twice does not go round in a circle.
        ([("promote", 1), ("promote", 2), ("promote", 1)], 1, (2,)),
        ([("promote", 1), ("promote", 2), ("promote", 1), ("rollback", 2)], 2, (1,)),
        # Killed between the entry and the alias, then told again, or not.
        ([("promote", 1), ("promote", 2)], 1, ()),
        ([("promote", 1), ("promote", 2), ("promote", 2)], 2, (1,)),
        ([("promote", 1), ("promote", 2), ("rollback", 1)], 2, (1,)),
        # The alias was moved, or deleted, by another hand.
        ([("promote", 1), ("promote", 2)], 7, (2, 1)),
        ([("promote", 1), ("promote", 2)], None, (2, 1)),
    ],
)
def test_the_history_tells_the_former_champions(
    told: list[tuple[str, int]], present: int | None, before: tuple[int, ...]
) -> None:
    assert champions_before([event(kind, version) for kind, version in told], present) == before


def test_rolling_back_takes_champions_away() -> None:
    told = [event("promote", 1), event("promote", 2), event("promote", 3), event("rollback", 1, 3)]
    assert champions(told[:3]) == (1, 2, 3)
    assert champions(told) == (1,)


def test_the_local_store_and_its_artifacts_lie_in_the_project(empty: Path) -> None:
    registry = open_registry(RegistryParams())
    made = registry.client.get_experiment(experiment_id(registry.client, "thaw"))
    assert made.artifact_location == str(empty / ".thaw/mlartifacts")
    assert (empty / ".thaw/mlflow.db").is_file()
    run = registry.client.create_run(made.experiment_id)
    registry.client.log_text(run.info.run_id, "found", "note.txt")
    assert [path.read_text() for path in (empty / ".thaw/mlartifacts").rglob("note.txt")] == ["found"]
    assert sorted(path.name for path in empty.iterdir()) == [".thaw"], "and nothing else is made beside it"


def test_the_address_does_not_leak_into_the_environment_or_the_next_project(
    registry: Registry, tmp_path: Path, empty_store: Path
) -> None:
    with_versions(registry, "a")
    assert not {"MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"} & set(os.environ)
    copy_empty_store(empty_store, other := tmp_path / "other")
    with inside(other):
        assert open_registry(RegistryParams(name="pets")).versions() == ()


def test_a_server_or_data_base_of_the_users_is_used_as_it_is(
    empty: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_empty_store(empty_store, empty / "theirs")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{empty}/theirs/.thaw/mlflow.db")
    registry = with_versions(open_registry(RegistryParams(name="pets")), "a")
    assert len(registry.versions()) == 1 and not (empty / ".thaw").exists()
    assert tracking_uri() == os.environ["MLFLOW_TRACKING_URI"] != local_uri()
    location = registry.client.get_experiment_by_name("thaw").artifact_location
    assert "mlartifacts" not in location, "where artifacts lie is theirs to say"


def test_experiments_are_made_once_and_restored(registry: Registry) -> None:
    client = registry.client
    with ThreadPoolExecutor(4) as pool:
        (made,) = set(pool.map(lambda _: experiment_id(client, "thaw"), range(8)))
    client.delete_experiment(made)
    assert experiment_id(client, "thaw") == made
    assert client.get_experiment(made).lifecycle_stage == "active"


def test_a_server_that_does_not_answer_is_worth_another_try() -> None:
    """In a process of its own: MLflow reads how often it tries when it is imported."""
    code = "from tasks.registry.registry import *; from thaw.params.sections import *; open_registry(RegistryParams()).versions()"
    environment = os.environ | {
        "MLFLOW_TRACKING_URI": "http://127.0.0.1:9",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        "PYTHONPATH": str(Path(__file__).parents[3]),
    }
    found = subprocess.run([sys.executable, "-c", code], env=environment, text=True, capture_output=True, check=False)
    assert "thaw.foundation.errors.Unreachable: MLflow at http://127.0.0.1:9" in found.stderr, found.stderr


def test_what_is_no_data_base_is_said_so(empty: Path) -> None:
    (empty / ".thaw").mkdir()
    (empty / ".thaw/mlflow.db").write_bytes(b"no data base at all" * 100)
    with pytest.raises(RegistryError, match="is no data base of MLflow"):
        open_registry(RegistryParams()).versions()


def test_a_data_base_of_another_mlflow_says_how_to_upgrade(project: Path) -> None:
    with sqlite3.connect(project / ".thaw/mlflow.db") as connection:
        connection.execute("update alembic_version set version_num = '728d730b5ebd'")
    with pytest.raises(RegistryError, match="mlflow db upgrade"):
        open_registry(RegistryParams()).versions()


def test_a_file_that_a_run_does_not_have_is_named(registry: Registry, tmp_path: Path) -> None:
    with_versions(registry, "a")
    with pytest.raises(RegistryError, match=r"report/x.parquet of pets version 1 is gone"):
        registry.download(registry.version(1), "report/x.parquet", tmp_path)


def test_a_name_that_mlflow_refuses_is_the_users_to_mend(registry: Registry) -> None:
    with pytest.raises(RegistryError, match="refused"):
        registry.set_alias(CHAMPION, 1)
    assert not issubclass(RegistryError, Unreachable)
