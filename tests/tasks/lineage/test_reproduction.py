"""What a version can be rebuilt from, and what is said where it can't."""

from collections.abc import Iterator
from hashlib import md5
from pathlib import Path

import pytest
from dvc.repo import Repo
from traced import commit, inside_traceable, make_traced

from tasks.lineage.reproduction import Recipe, code_differences, compare_rebuilt, equal_outputs, read_recipe, value_at
from tasks.project.dvc_lock import LockedFile, LockedStage, parse_lock
from tasks.registry.registry import Registry
from thaw.foundation.errors import BadArtifact, NotReproducible


@pytest.fixture
def registry(empty_store: Path, tmp_path: Path, picture_folder: Path) -> Iterator[Registry]:
    with inside_traceable(tmp_path / "project", empty_store, picture_folder) as registry:
        yield registry


def recipe(registry: Registry, number: int, folder: Path, given: str | None = None) -> Recipe:
    folder.mkdir(exist_ok=True)
    return read_recipe(registry, registry.version(number), folder, given)


def test_a_clean_version_has_all_that_it_takes(registry: Registry, tmp_path: Path) -> None:
    head = commit(Path.cwd())
    found = recipe(registry, make_traced(registry, git_commit=head, git_dirty="false"), tmp_path / "recorded")
    assert found.commit == head and len(found.manifest) == 12
    assert found.lock is not None and parse_lock(found.lock.read_text())[0].name == "ingest"


def test_uncommitted_changes_and_no_commit_say_what_to_do(registry: Registry, tmp_path: Path) -> None:
    Path("dvc.yaml").write_text("stages: {}  # changed\n")
    dirty, without = make_traced(registry, git_commit="ab" * 20, git_dirty="true"), make_traced(registry)
    with pytest.raises(NotReproducible, match=r"uncommitted changes on abababababab \(dvc\.yaml\); .*--commit HEAD"):
        recipe(registry, dirty, tmp_path / "recorded")
    with pytest.raises(NotReproducible, match="no Git commit was recorded"):
        recipe(registry, without, tmp_path / "recorded")
    assert recipe(registry, dirty, tmp_path / "recorded", "HEAD").commit == "HEAD"


def test_other_code_and_parameters_are_named(tmp_path: Path) -> None:
    (tmp_path / "tasks/stages").mkdir(parents=True)
    (tmp_path / "tasks/stages/head.py").write_text("print()")
    (tmp_path / "params.yaml").write_text("head: {l2: [0.1], folds: 5}\nseed: 1\n")
    same = md5((tmp_path / "tasks/stages/head.py").read_bytes(), usedforsecurity=False).hexdigest()
    params = {"head": {"l2": [0.1], "folds": 5}, "seed": 1, "missing": None}
    stage = LockedStage(
        "head", (LockedFile("tasks/stages/head.py", same), LockedFile("data/manifest.parquet", "x")), (), params
    )
    assert code_differences([stage], tmp_path) == (), "what is no code and not in the checkout comes later"
    other = LockedStage(
        "head", (LockedFile("tasks/stages/head.py", "x"), LockedFile("thaw/gone.py", "x")), (), {"head.l2": [0.2]}
    )
    assert code_differences([stage, other], tmp_path) == ("head.l2", "tasks/stages/head.py", "thaw/gone.py")
    assert value_at({"a": {"b": 1}}, "a.b") == 1 and value_at({"a": 1}, "a.b") is None


def test_parameters_are_compared_as_a_person_wrote_them(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("head: {folds: 5}\n")
    lock = """\
stages:
  settings: {cmd: x, params: {params.yaml: {head: {folds: 5}}}}
  head: {cmd: x, params: {data/params.yaml: {head: {folds: 5, seed: 0}, openness.score: none}}}
"""
    assert code_differences(parse_lock(lock), tmp_path) == ()
    (tmp_path / "params.yaml").write_text("head: {folds: 6}\nopenness: {score: auto}\n")
    assert code_differences(parse_lock(lock), tmp_path) == ("head", "openness")


def test_folders_of_code_are_compared_as_dvc_hashes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code = tmp_path / "thaw/heads"
    for name in ("b.py", "a/c.py", "a.py", "__pycache__/b.pyc"):
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        (code / name).write_text(name)
    (tmp_path / "params.yaml").write_text("seed: 1\n")
    (tmp_path / ".dvcignore").write_text("__pycache__\n")
    Repo.init(no_scm=True)
    with Repo() as repo:
        repo.stage.add(name="head", cmd="true", deps=["thaw/heads"], verify=False)
        (stage,) = repo.reproduce()
        hashed = stage.deps[0].hash_info.value
    stages = [LockedStage("head", (LockedFile("thaw/heads", hashed),), (), {})]
    assert hashed.endswith(".dir") and code_differences(stages, tmp_path) == ()
    (code / "a/c.py").write_text("changed")
    assert code_differences(stages, tmp_path) == ("thaw/heads",)
    (code / "a/c.py").write_text("a/c.py")
    (code / "new.py").write_text("")
    assert code_differences(stages, tmp_path) == ("thaw/heads",)


def test_what_came_out_is_compared_with_what_was_recorded(registry: Registry, tmp_path: Path) -> None:
    found = recipe(registry, make_traced(registry, git_commit="ab" * 20), tmp_path / "recorded")
    report = tmp_path / "checkout/data/report"
    report.mkdir(parents=True)
    for file in (found.predictions, found.metrics):
        (report / file.name).write_bytes(file.read_bytes())
    assert compare_rebuilt(found, tmp_path / "checkout", 0.0).agrees
    (report / "metrics.json").write_text('{"test": {"n": 60, "accuracy": 0.9}}')
    assert not compare_rebuilt(found, tmp_path / "checkout", 0.01).agrees
    (report / "metrics.json").write_text("[]")
    with pytest.raises(BadArtifact, match="holds no metrics"):
        compare_rebuilt(found, tmp_path / "checkout", 0.01)


def test_outputs_are_compared_by_their_hashes() -> None:
    before = [LockedStage("a", outs=(LockedFile("x", "1"), LockedFile("y", "2"), LockedFile("z", "3")))]
    after = [LockedStage("a", outs=(LockedFile("x", "1"), LockedFile("y", "9")))]
    assert equal_outputs(before, after) == {"x": True, "y": False}
