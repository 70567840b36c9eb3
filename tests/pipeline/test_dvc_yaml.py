"""Every `dvc.yaml` says the truth: each stage depends on its own code, and files are those that the stages use."""

import ast
import json
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from project import PROGRAMS
from ruamel.yaml import YAML

from tasks.project import paths
from tasks.project.code_digests import STAGES, InstalledCode, code_files, installed_code
from thaw.params.sections import Params

FIRST = Path("dvc.yaml")
UNTRACKED = {paths.SCORES, paths.SCORED_FEATURES, paths.REGISTERED}
"""What no stage writes."""
SECOND = Path("data/pretrain/pipeline.yaml")
"""The pipeline that makes the embedded backbone; `make backbone` runs it."""
THIRD = Path("data/pretrain/texts/pipeline.yaml")
"""The pipeline that makes the embedded word vectors; `make text-backbone` runs it."""
FOURTH = Path("data/pretrain/sounds/pipeline.yaml")
"""The pipeline that makes the embedded sound network; `make sound-backbone` runs it."""
PIPELINES = [FIRST, SECOND, THIRD, FOURTH]
FLOORS = ("thaw/", "tasks/")
SETTINGS = paths.SETTINGS.as_posix()
CODE = paths.CODE.as_posix()
WORDED = {"page.py", "words.py", "figures.py", "layout.py"}


def stages() -> list[tuple[Path, str, dict[str, Any]]]:
    yaml = YAML(typ="safe")
    return [(file, name, stage) for file in PIPELINES for name, stage in yaml.load(file.read_text())["stages"].items()]


def marked(files: list[Path]) -> pytest.MarkDecorator:
    """One test for each stage of the pipelines."""
    chosen = [each for each in stages() if each[0] in files]
    names = [f"{file.parent.name}-{name}" for file, name, _ in chosen]
    return pytest.mark.parametrize(("file", "name", "stage"), chosen, ids=names)


EVERY_STAGE = marked(PIPELINES)
PRETRAINING = marked(PIPELINES[1:])
"""The stages that name folders of code; Thaw's own repository alone has them."""


@pytest.fixture(scope="module")
def code() -> InstalledCode:
    return installed_code()


def keys_of(stage: dict[str, Any], file: str = SETTINGS) -> list[str]:
    """The keys of a parameters file that the stage depends on."""
    return [key for entry in stage.get("params", []) if isinstance(entry, dict) for key in entry.get(file) or ()]


def needed(stage: dict[str, Any], code: InstalledCode) -> set[str]:
    """The files of the stage's code, with the types and defaults of parameters, which it reads from a file of its own."""
    name = stage["cmd"].rsplit(".", 1)[-1]
    return {file.as_posix() for file in code_files(name, code, parameters=True)}


def declared(stage: dict[str, Any]) -> set[str]:
    return {path for path in stage["deps"] if path.startswith(FLOORS)}


def test_each_stage_depends_on_the_digest_of_its_own_code_and_on_no_folder_of_code() -> None:
    own = {name: stage for file, name, stage in stages() if file == FIRST}
    assert {*own} == {"code", *STAGES}
    assert own.pop("code")["deps"] == ["tasks", "thaw"]
    for name, stage in own.items():
        assert stage["cmd"] == f"python -m tasks.stages.{name}" and keys_of(stage, CODE) == [name]
        assert not [path for path in stage.get("deps", ()) if f"{path}/".startswith(FLOORS)]


@PRETRAINING
def test_the_import_closure_lies_in_the_folders_that_are_declared(
    file: Path, name: str, stage: dict[str, Any], code: InstalledCode
) -> None:
    folders = declared(stage)
    outside = defaultdict(list)
    for path in needed(stage, code):
        if not any(path == folder or path.startswith(f"{folder}/") for folder in folders):
            outside[Path(path).parent.as_posix()].append(path)
    wanted = "\n".join(
        f"      - {folder}   # for {', '.join(sorted(held))}" for folder, held in sorted(outside.items())
    )
    assert not outside, (
        f"{file}: {name} depends on code that it does not name; add these folders, or files of them:\n{wanted}"
    )


@PRETRAINING
def test_every_folder_that_is_declared_is_used(
    file: Path, name: str, stage: dict[str, Any], code: InstalledCode
) -> None:
    files = needed(stage, code)
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
def test_wording_is_no_code_of_what_trains_for_long(name: str, code: InstalledCode) -> None:
    """An edit of a page must not run these stages again."""
    worded = {file for file in code_files(name, code) if file.suffix == ".j2" or file.name in WORDED}
    assert not worded, f"{name} depends on {', '.join(map(str, sorted(worded)))}"


def test_outputs_are_those_that_the_stages_write() -> None:
    written = {
        path.as_posix()
        for name, path in vars(paths).items()
        if name.isupper() and isinstance(path, Path) and path not in UNTRACKED
    }
    found = set()
    for file, _, stage in stages():
        if file == FIRST:
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
        if file == FIRST and name not in ("code", "settings"):
            assert keys_of(stage) and [list(entry) for entry in stage["params"]] == [[SETTINGS], [CODE]], name


@marked([FIRST])
def test_no_stage_takes_a_default_of_its_own(file: Path, name: str, stage: dict[str, Any], code: InstalledCode) -> None:
    """A default would be a value that DVC does not see."""
    if not keys_of(stage):
        return
    made = [
        f"{path}:{node.lineno}"
        for path in code_files(name, code)
        if path.suffix == ".py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith("Params")
    ]
    assert not made, f"{file}: {name} makes parameters itself: {', '.join(made)}"


@pytest.mark.parametrize("asked", [SECOND, THIRD])
def test_dvc_knows_a_pipeline_of_pretraining_only_when_it_is_asked_for(tmp_path: Path, asked: Path) -> None:
    for path in (Path("dvc.yaml"), Path("params.yaml"), asked, asked.parent / "params.yaml"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(path.read_bytes())
    dvc(tmp_path, "init", "--no-scm", "--quiet")
    first = {name for file, name, _ in stages() if file == FIRST}
    assert json.loads(dvc(tmp_path, "status", "--json")).keys() == first, "a fresh project, where nothing has run"
    (tmp_path / asked).rename(tmp_path / asked.parent / "dvc.yaml")
    assert {*dvc(tmp_path, "stage", "list", "--name-only", f"{asked.parent}/dvc.yaml").split()} == {
        f"{asked.parent}/dvc.yaml:{name}" for file, name, _ in stages() if file == asked
    }


def dvc(root: Path, *words: str) -> str:
    """What a command of DVC prints."""
    return subprocess.run([PROGRAMS / "dvc", *words], cwd=root, check=True, capture_output=True, text=True).stdout
