"""`dvc.yaml` says the truth: code dependencies are import closures, files are those that the stages use."""

from pathlib import Path
from typing import Any

import grimp
import pytest
from ruamel.yaml import YAML

from tasks import paths
from thaw.params import Params

BY_PATH = {"tasks.register": {"tasks/pyfunc_model.py"}}
"""What a stage reads as a file and does not import: MLflow logs the model's own code."""
UNTRACKED = {paths.SCORES, paths.SCORED_FEATURES}
"""What no stage writes."""
PIPELINES = [Path("dvc.yaml"), Path("data/pretrain/dvc.yaml")]


def stages() -> list[tuple[Path, str, dict[str, Any]]]:
    yaml = YAML(typ="safe")
    return [(file, name, stage) for file in PIPELINES for name, stage in yaml.load(file.read_text())["stages"].items()]


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("thaw", "tasks", cache_dir=None)


def closure(graph: grimp.ImportGraph, module: str) -> set[str]:
    """Every file of the project that importing `module` may read: modules, the packages they lie in, and what lies beside a module under its name."""
    modules = {module} | graph.find_upstream_modules(module)
    packages = {name.rsplit(".", depth)[0] for name in modules for depth in range(1, name.count(".") + 1)}
    files = set()
    for name in modules | packages:
        path = Path(*name.split("."))
        files.add(path / "__init__.py" if path.is_dir() else path.with_suffix(".py"))
        files.update(beside for beside in path.parent.glob(f"{path.name}.*") if beside.suffix != ".py")
    return {file.as_posix() for file in files} | BY_PATH.get(module, set())


@pytest.mark.parametrize(("file", "name", "stage"), stages(), ids=[name for _, name, _ in stages()])
def test_code_dependencies_are_the_import_closure(
    file: Path, name: str, stage: dict[str, Any], graph: grimp.ImportGraph
) -> None:
    expected = closure(graph, stage["cmd"].split()[-1])
    declared = {path for path in stage["deps"] if path.startswith(("thaw/", "tasks/"))}
    wanted = "\n".join(f"      - {path}" for path in sorted(expected))
    assert declared == expected, f"{file}: the code dependencies of {name} should be\n{wanted}"


def test_outputs_are_those_that_the_stages_write() -> None:
    written = {
        path.as_posix()
        for name, path in vars(paths).items()
        if name.isupper() and isinstance(path, Path) and path not in UNTRACKED
    }
    declared = set()
    for file, _, stage in stages():
        if file == Path("dvc.yaml"):
            declared |= {out if isinstance(out, str) else next(iter(out)) for out in stage["outs"]}
    assert declared == written


def test_every_parameter_named_exists() -> None:
    for file, name, stage in stages():
        if file != Path("dvc.yaml"):
            continue
        for key in stage["params"]:
            values: Any = Params().model_dump()
            for part in key.split("."):
                assert part in values, f"{name} depends on {key}, which is no parameter"
                values = values[part]
