"""The code that a stage depends on: every module that it imports, directly or not, as one digest."""

import ast
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.project.code_record import Code
from thaw import __version__

if TYPE_CHECKING:
    from grimp import ImportGraph

STAGES = (
    "settings", "fetch", "ingest", "extract", "advise", "head", "finetune", "compare", "evaluate", "track",
)  # fmt: skip
"""The modules of `tasks.stages` that are stages of `dvc.yaml`; `code` itself is none of them."""
VALUES = "thaw.params.sections"
"""Types, defaults and meanings of parameters. Their values reach a stage through `data/params.yaml`, so another default runs only the stages that depend on
its key."""
TAKES_PARAMETERS_WHOLE = "settings"
"""The stage whose code includes `VALUES`."""
_READ_AS_FILES = {"tasks.stages.track": ("tasks.registry.pyfunc_model",)}
"""What a stage reads as a file and does not import: MLflow logs the model's own code."""
_DIGITS = 16


def code_digests(stages: Iterable[str] = STAGES) -> dict[str, str]:
    """The digest of each stage's code, 16 hexadecimal digits, by the stage's name.

    It covers the names and bytes of `code_files`. It does not depend on where Thaw is installed, nor on the version of Python.
    """
    from blake3 import blake3

    graph, root = _graph(), _root()
    digests = {}
    for stage in stages:
        hasher = blake3()
        for file in code_files(stage, graph):
            hasher.update(f"{file.as_posix()}\0".encode())
            hasher.update(blake3((root / file).read_bytes()).digest())
        digests[stage] = hasher.hexdigest(length=_DIGITS // 2)
    return digests


def present_code() -> Code:
    """The code that this process would run."""
    return Code(__version__, code_digests())


def code_files(stage: str, graph: "ImportGraph | None" = None, *, parameters: bool = False) -> list[Path]:
    """The files of the stage's code, sorted, relative to the folder that holds `thaw` and `tasks`.

    They are the modules of its import closure, their packages, and what lies beside a module under its name, such as a page's template. A package's module
    that only says something (a docstring, Thaw's version) does not count, nor do `VALUES` without `parameters`.
    """
    graph = graph or _graph()
    module = f"tasks.stages.{stage}"
    start = f"{module}.__main__" if f"{module}.__main__" in graph.modules else module
    modules = {start, *graph.find_upstream_modules(start), *_READ_AS_FILES.get(module, ())}
    if not parameters and stage != TAKES_PARAMETERS_WHOLE:
        modules = {name for name in modules if not f"{name}.".startswith(f"{VALUES}.")}
    packages = {name.rsplit(".", depth)[0] for name in modules for depth in range(1, name.count(".") + 1)}
    root = _root()
    files = {file for name in modules | packages for file in _files(root, name) if not _says_only(root / file)}
    return sorted(files)


def _graph() -> "ImportGraph":
    import grimp

    return grimp.build_graph("thaw", "tasks", cache_dir=None)


def _root() -> Path:
    """The folder that holds the packages `thaw` and `tasks`."""
    spec = find_spec("tasks")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parents[1]


def _files(root: Path, module: str) -> Iterator[Path]:
    path = Path(*module.split("."))
    yield path / "__init__.py" if (root / path).is_dir() else path.with_suffix(".py")
    beside = (root / path).parent.glob(f"{path.name}.*")
    yield from (file.relative_to(root) for file in beside if file.is_file() and file.suffix != ".py")


def _says_only(file: Path) -> bool:
    return file.name == "__init__.py" and all(map(_is_docstring_or_version, ast.parse(file.read_bytes()).body))


def _is_docstring_or_version(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(ast.Constant()) | ast.Assign([ast.Name("__version__")]):
            return True
    return False
