"""Where a version comes from, read back from a real registry: what was recorded, and what an older version lacks."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from traced import commit, inside_traceable, make_traced

from tasks.lineage.as_json import lineage_json
from tasks.lineage.example_history import digest_of, example_history
from tasks.lineage.graph import graph_of
from tasks.lineage.lineage import Lineage, read_lineage
from tasks.lineage.wording import NOT_RECORDED, facts_of
from tasks.registry.mlflow_store import experiment_id
from tasks.registry.promotion_history import Event
from tasks.registry.registry import CHAMPION, Registry
from tasks.registry.version_names import Called, find_version, parse_called
from tasks.registry.write_once import Ledger
from thaw.foundation.errors import BadArtifact, BadExample, RegistryError
from thaw.foundation.files.atomic import digest_file
from thaw.kinds.kind import ANY


@pytest.fixture
def registry(empty_store: Path, tmp_path: Path, picture_folder: Path) -> Iterator[Registry]:
    with inside_traceable(tmp_path / "project", empty_store, picture_folder) as registry:
        yield registry


def trace(registry: Registry, number: int) -> Lineage:
    return read_lineage(registry, registry.version(number))


def old_version(registry: Registry) -> int:
    """A version as they were made before anything was recorded."""
    client = registry.client
    run = client.create_run(experiment_id(client, "thaw"))
    if not registry.versions():
        client.create_registered_model(registry.name)
    tags = {
        "thaw.dvc.head.head": "12ab.dir",
        "thaw.dvc.ingest.manifest.parquet": "34cd",
        "thaw.dvc.register.registered.json": "56",
    }
    made = client.create_model_version(registry.name, f"runs:/{run.info.run_id}/model", run.info.run_id, tags)
    return int(made.version)


def test_everything_that_was_recorded_comes_back(registry: Registry, picture_folder: Path) -> None:
    head = commit(Path.cwd())
    number = make_traced(registry, git_commit=head, git_dirty="false", flow_run="f-1", fingerprint="5f3e")
    registry.set_alias(CHAMPION, number)
    registry.record(Event("promote", "2026-01-01T00:00:00+00:00", "me", number, None, "the first"))
    registry.record(Event("refuse", "2026-01-02T00:00:00+00:00", "me", number + 1, number, "another"))
    Ledger(registry).settle(1, "the record of a move, which is no parameter")
    found = trace(registry, number)
    assert found.run is not None and not any(name.startswith("thaw.") for name in found.run.params)
    assert found.commit is not None and (found.commit.id, found.commit.dirty, found.commit.changed) == (head, False, ())
    assert (found.flow_run, found.fingerprint) == ("f-1", "5f3e")
    assert [event.reason for event in found.promotions] == ["the first"]
    assert [stage.name for stage in found.stages] == ["ingest", "head"], (
        "the lock's `register` is of the version before"
    )
    assert found.training is not None and len(found.training) == 4, "two a class, of five"
    assert all(one.digest == digest_file(picture_folder / one.path) for one in found.training)
    assert (
        found.dataset is not None
        and found.dataset.splits == {"train": 10, "test": 2}
        and found.dataset.source == "photos"
    )
    assert found.packages is not None and "torch" in found.packages and found.machine is not None
    told = json.loads(json.dumps(lineage_json(found)))
    assert told["stages"] == {"ingest": {"data/manifest.parquet": "4567"}, "head": {"data/head": "89ab.dir"}}
    facts = dict(facts_of(found))
    assert NOT_RECORDED not in {fact for name, fact in facts.items() if name != "model"}
    assert (
        facts["manifest"].startswith("12 images: 10 train, 2 test") and facts["trained on"] == "4 images of 2 classes"
    )


def test_uncommitted_changes_are_named(registry: Registry) -> None:
    Path("dvc.yaml").write_text("stages: {}  # changed\n")
    Path("dvc.lock").write_text(Path("dvc.lock").read_text() + "\n")
    found = trace(registry, make_traced(registry, git_commit="ab" * 20, git_dirty="true"))
    assert found.commit is not None and found.commit.changed == ("dvc.yaml",), "dvc.lock alone makes no other model"
    assert dict(facts_of(found))["Git commit"] == "abababababab, with uncommitted changes, dvc.yaml"


def test_an_old_version_lacks_things_and_nothing_fails(registry: Registry) -> None:
    found = trace(registry, old_version(registry))
    assert found.commit is None and found.training is None and found.packages is None and found.dataset is None
    assert [(stage.name, stage.outs[0].md5) for stage in found.stages] == [("head", "12ab.dir"), ("ingest", "34cd")]
    facts = dict(facts_of(found))
    assert facts["Git commit"] == facts["trained on"] == facts["machine"] == NOT_RECORDED
    assert lineage_json(found)["training"] is None
    keys = {node.key: node.kind for node in graph_of(found).nodes}
    assert found.words == ANY and keys["examples"] == keys["commit"] == "missing" and keys["outputs"] == "stage"


def test_a_version_whose_run_is_gone_can_still_be_told_of(registry: Registry) -> None:
    number = make_traced(registry, git_commit="ab" * 20)
    other = make_traced(registry)
    version = registry.version(number)
    import sqlite3

    with sqlite3.connect(".thaw/mlflow.db") as store:
        for table in ("params", "tags", "runs"):
            store.execute(f"DELETE FROM {table} WHERE run_uuid = ?", (version.run_id,))  # noqa: S608  # a fixed name
    found = trace(registry, number)
    assert found.run is None and found.training is None and found.commit is not None
    assert {node.key: node.kind for node in graph_of(found).nodes}["run"] == "missing"
    history = example_history(registry, b"\0" * 32)
    assert history.unknown == (number,) and history.versions == 2 and other != number


def test_a_damaged_record_is_named(registry: Registry) -> None:
    number = make_traced(registry)
    client, run = registry.client, registry.version(number).run_id
    Path("machine.json").write_text('{"host": "x"}')
    client.log_artifact(run, "machine.json", "lineage")
    with pytest.raises(BadArtifact, match=r"lineage/machine\.json describes no machine"):
        trace(registry, number)


def test_the_graph_leads_from_the_alias_to_the_images(registry: Registry) -> None:
    number = make_traced(registry, git_commit="ab" * 20, git_dirty="false")
    registry.set_alias(CHAMPION, number)
    graph = graph_of(trace(registry, number))
    edges = set(graph.edges)
    path = ["alias champion", "version", "run", "stage head", "stage ingest", "manifest", "examples"]
    assert edges.issuperset(itertools.pairwise(path)) and ("version", "commit") in edges
    assert {key for edge in edges for key in edge} <= {node.key for node in graph.nodes}


def test_versions_are_found_by_whatever_they_are_called(registry: Registry) -> None:
    first, second = old_version(registry), old_version(registry)
    registry.set_alias(CHAMPION, second)
    for name, number in ((None, second), ("champion", second), ("@champion", second), (str(first), first),
                         ("models:/photos/1", first), ("models:/photos@champion", second)):  # fmt: skip
        assert find_version(registry, name)[1].number == number
    assert parse_called("models:/other/7") == Called("other", 7)
    for name, said in (("9", "has no version 9"), ("best", "alias `best`"), ("models:/other@x", "other has no version"),
                       ("runs:/1/model", "names no version"), ("models:/m-12", "names no version")):  # fmt: skip
        with pytest.raises(RegistryError, match=said):
            find_version(registry, name)


def test_an_image_is_followed_through_the_versions(registry: Registry, picture_folder: Path, tmp_path: Path) -> None:
    old, new = old_version(registry), make_traced(registry)
    registry.set_alias(CHAMPION, new)
    training = trace(registry, new).training
    assert training is not None
    trained, test = training[0], picture_folder / "bees/bee-5.png"
    (tmp_path / "copy.png").write_bytes((picture_folder / trained.path).read_bytes())
    (found,) = example_history(registry, digest_of(str(tmp_path / "copy.png"))).appearances
    assert (found.version, found.aliases, found.split, found.trained, found.path) == (
        new,
        ("champion",),
        "train",
        True,
        trained.path,
    )
    (held_out,) = example_history(registry, digest_of(str(test))).appearances
    assert (held_out.split, held_out.trained, held_out.labels) == ("test", False, ("bees",))
    history = example_history(registry, digest_of("ab" * 32))
    assert (history.appearances, history.unknown) == ((), (old,))
    with pytest.raises(BadExample, match="neither a file nor a digest of 64 hex digits"):
        digest_of("abc")
