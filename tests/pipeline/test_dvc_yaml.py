"""`dvc.yaml` says the truth: code dependencies are folders that hold the import closures, files are those that the stages use."""

import ast
import json
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import grimp
import pytest
from project import PROGRAMS
from ruamel.yaml import YAML

from tasks.project import paths
from thaw.params.sections import Params

BY_PATH = {"tasks.stages.track": {"tasks/registry/pyfunc_model.py"}}
"""What a stage reads as a file and does not import: MLflow logs the model's own code."""
UNTRACKED = {paths.SCORES, paths.SCORED_FEATURES, paths.REGISTERED}
"""What no stage writes."""
SECOND = Path("data/pretrain/pipeline.yaml")
"""The pipeline that makes the embedded backbone; `make backbone` runs it."""
THIRD = Path("data/pretrain/texts/pipeline.yaml")
"""The pipeline that makes the embedded word vectors; `make text-backbone` runs it."""
FOURTH = Path("data/pretrain/sounds/pipeline.yaml")
"""The pipeline that makes the embedded sound network; `make sound-backbone` runs it."""
PIPELINES = [Path("dvc.yaml"), SECOND, THIRD, FOURTH]
FLOORS = ("thaw/", "tasks/")
SETTINGS = paths.SETTINGS.as_posix()
VALUES = "thaw/params/sections"
"""Types, defaults and meanings of parameters, which compute nothing (a test of them holds that). Values reach a stage through `data/params.yaml`, which the
stage `settings` writes: a stage that depends on its keys there does not run again because another key has a new default or a new description."""
WORDED = {"page.py", "words.py", "figures.py", "layout.py"}


def stages() -> list[tuple[Path, str, dict[str, Any]]]:
    yaml = YAML(typ="safe")
    return [(file, name, stage) for file in PIPELINES for name, stage in yaml.load(file.read_text())["stages"].items()]


EVERY_STAGE = pytest.mark.parametrize(
    ("file", "name", "stage"), stages(), ids=[f"{file.parent.name}-{name}" for file, name, _ in stages()]
)


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("thaw", "tasks", cache_dir=None)


def closure(graph: grimp.ImportGraph, command: str) -> set[str]:
    """Every file of the project that the stage may read: modules, the packages they lie in, and what lies beside a module under its name."""
    module = command.rsplit(maxsplit=1)[-1]
    if Path(*module.split("."), "__main__.py").exists():
        module = f"{module}.__main__"
    modules = {module} | graph.find_upstream_modules(module)
    packages = {name.rsplit(".", depth)[0] for name in modules for depth in range(1, name.count(".") + 1)}
    files = set()
    for name in modules | packages:
        path = Path(*name.split("."))
        files.add(path / "__init__.py" if path.is_dir() else path.with_suffix(".py"))
        files.update(beside for beside in path.parent.glob(f"{path.name}.*") if beside.suffix != ".py")
    return {file.as_posix() for file in files if not says_nothing(file)} | BY_PATH.get(module, set())


def says_nothing(file: Path) -> bool:
    """Whether a package's own module is a docstring, or that and a version: another number of Thaw's version makes no stage run again."""
    return file.name == "__init__.py" and all(map(is_docstring_or_version, ast.parse(file.read_text()).body))


def is_docstring_or_version(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(ast.Constant()) | ast.Assign([ast.Name("__version__")]):
            return True
    return False


def needed(graph: grimp.ImportGraph, stage: dict[str, Any]) -> set[str]:
    """What the stage must declare: its closure, without the modules whose values it depends on by key."""
    files = closure(graph, stage["cmd"])
    return {path for path in files if not path.startswith(f"{VALUES}/")} if keys_of(stage) else files


def keys_of(stage: dict[str, Any]) -> list[str]:
    """The parameters that the stage depends on by key."""
    return [key for entry in stage.get("params", []) if isinstance(entry, dict) for key in entry.get(SETTINGS) or []]


def declared(stage: dict[str, Any]) -> set[str]:
    return {path for path in stage["deps"] if path.startswith(FLOORS)}


@EVERY_STAGE
def test_the_import_closure_lies_in_the_folders_that_are_declared(
    file: Path, name: str, stage: dict[str, Any], graph: grimp.ImportGraph
) -> None:
    folders = declared(stage)
    outside = defaultdict(list)
    for path in needed(graph, stage):
        if not any(path == folder or path.startswith(f"{folder}/") for folder in folders):
            outside[Path(path).parent.as_posix()].append(path)
    wanted = "\n".join(
        f"      - {folder}   # for {', '.join(sorted(held))}" for folder, held in sorted(outside.items())
    )
    assert not outside, (
        f"{file}: {name} depends on code that it does not name; add these folders, or files of them:\n{wanted}"
    )


@EVERY_STAGE
def test_every_folder_that_is_declared_is_used(
    file: Path, name: str, stage: dict[str, Any], graph: grimp.ImportGraph
) -> None:
    files = needed(graph, stage)
    unused = {
        folder
        for folder in declared(stage)
        if not any(path == folder or path.startswith(f"{folder}/") for path in files)
    }
    assert not unused, f"{file}: {name} names code that it does not read: {', '.join(sorted(unused))}"


@EVERY_STAGE
def test_every_output_stays_until_the_stage_replaces_it(file: Path, name: str, stage: dict[str, Any]) -> None:
    outs = [*stage.get("outs", []), *stage.get("metrics", []), *stage.get("plots", [])]
    gone = [out for out in outs if not (isinstance(out, dict) and all(each.get("persist") for each in out.values()))]
    assert outs and not gone, f"{file}: DVC removes these before {name} runs; add persist: true"


@pytest.mark.parametrize("name", ["compare", "finetune"])
def test_wording_is_no_dependency_of_what_trains_for_long(name: str) -> None:
    """An edit of a page must not run these stages again: their folders hold no template, page, words or figures."""
    (stage,) = (stage for _, other, stage in stages() if other == name)
    files = [
        file for path in declared(stage) for file in (Path(path).rglob("*") if Path(path).is_dir() else [Path(path)])
    ]
    worded = {file.as_posix() for file in files if file.suffix == ".j2" or file.name in WORDED}
    assert not worded, f"{name} depends on {', '.join(sorted(worded))}"


def test_outputs_are_those_that_the_stages_write() -> None:
    written = {
        path.as_posix()
        for name, path in vars(paths).items()
        if name.isupper() and isinstance(path, Path) and path not in UNTRACKED
    }
    found = set()
    for file, _, stage in stages():
        if file == Path("dvc.yaml"):
            found |= {out if isinstance(out, str) else next(iter(out)) for out in stage["outs"]}
    assert found == written


def test_every_parameter_named_exists() -> None:
    for _, name, stage in stages():
        for key in keys_of(stage):
            values: Any = Params().model_dump()
            for part in key.split("."):
                assert part in values, f"{name} depends on {key}, which is no parameter"
                values = values[part]


def test_every_stage_but_settings_takes_its_parameters_from_settings() -> None:
    for file, name, stage in stages():
        if file == Path("dvc.yaml") and name != "settings":
            assert keys_of(stage) and all(list(entry) == [SETTINGS] for entry in stage["params"]), name


@EVERY_STAGE
def test_no_stage_takes_a_default_of_its_own(
    file: Path, name: str, stage: dict[str, Any], graph: grimp.ImportGraph
) -> None:
    """A default would be a value that DVC does not see."""
    if not keys_of(stage):
        return
    made = [
        f"{path}:{node.lineno}"
        for path in needed(graph, stage)
        if path.endswith(".py")
        for node in ast.walk(ast.parse(Path(path).read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith("Params")
    ]
    assert not made, f"{file}: {name} makes parameters itself: {', '.join(made)}"


@pytest.mark.parametrize("asked", [SECOND, THIRD])
def test_dvc_knows_a_pipeline_of_pretraining_only_when_it_is_asked_for(tmp_path: Path, asked: Path) -> None:
    for path in (Path("dvc.yaml"), Path("params.yaml"), asked, asked.parent / "params.yaml"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(path.read_bytes())
    dvc(tmp_path, "init", "--no-scm", "--quiet")
    first = {name for file, name, _ in stages() if file == Path("dvc.yaml")}
    assert json.loads(dvc(tmp_path, "status", "--json")).keys() == first, "a fresh project, where nothing has run"
    (tmp_path / asked).rename(tmp_path / asked.parent / "dvc.yaml")
    assert {*dvc(tmp_path, "stage", "list", "--name-only", f"{asked.parent}/dvc.yaml").split()} == {
        f"{asked.parent}/dvc.yaml:{name}" for file, name, _ in stages() if file == asked
    }


def dvc(root: Path, *words: str) -> str:
    """What a command of DVC prints."""
    return subprocess.run([PROGRAMS / "dvc", *words], cwd=root, check=True, capture_output=True, text=True).stdout
