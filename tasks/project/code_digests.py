"""The code that a stage depends on: every module that it imports, directly or not, as one digest."""

import ast
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
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

    code = installed_code()
    content = cache(
        lambda file: blake3((code.root / file).read_bytes()).digest()
    )  # most files belong to several stages
    digests = {}
    for stage in stages:
        hasher = blake3()
        for file in code_files(stage, code):
            hasher.update(f"{file.as_posix()}\0".encode())
            hasher.update(content(file))
        digests[stage] = hasher.hexdigest(length=_DIGITS // 2)
    return digests


def present_code() -> Code:
    """The code that this process would run."""
    return Code(__version__, code_digests())


@dataclass(frozen=True)
class InstalledCode:
    """The code as it lies there. root: the folder with `thaw` and `tasks`. files: those of a module, by its name, relative to `root`, listed once."""

    graph: "ImportGraph"
    root: Path
    files: Callable[[str], tuple[Path, ...]]


def installed_code() -> InstalledCode:
    """The code of this process."""
    import grimp

    root = _root()
    graph = grimp.build_graph("thaw", "tasks", cache_dir=None)
    names = cache(lambda folder: [entry.name for entry in os.scandir(root / folder) if entry.is_file()])
    return InstalledCode(graph, root, cache(lambda module: tuple(_files(root, module, names))))


def code_files(stage: str, code: InstalledCode | None = None, *, parameters: bool = False) -> list[Path]:
    """The files of the stage's code, sorted, relative to the folder that holds `thaw` and `tasks`.

    They are the modules of its import closure, their packages, and what lies beside a module under its name, such as a page's template. A package's module
    that only says something (a docstring, Thaw's version, the lazy names of `import thaw`) does not count, nor do `VALUES` without `parameters`.
    """
    code = code or installed_code()
    graph = code.graph
    module = f"tasks.stages.{stage}"
    start = f"{module}.__main__" if f"{module}.__main__" in graph.modules else module
    modules = {start, *graph.find_upstream_modules(start), *_READ_AS_FILES.get(module, ())}
    if not parameters and stage != TAKES_PARAMETERS_WHOLE:
        modules = {name for name in modules if not f"{name}.".startswith(f"{VALUES}.")}
    packages = {name.rsplit(".", depth)[0] for name in modules for depth in range(1, name.count(".") + 1)}
    return sorted({file for name in modules | packages for file in code.files(name)})


def _root() -> Path:
    """The folder that holds the packages `thaw` and `tasks`."""
    spec = find_spec("tasks")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parents[1]


def _files(root: Path, module: str, names: Callable[[Path], list[str]]) -> Iterator[Path]:
    path = Path(*module.split("."))
    own = path / "__init__.py" if (root / path).is_dir() else path.with_suffix(".py")
    if not _says_only(root / own):
        yield own
    beside = (name for name in names(path.parent) if name.startswith(f"{path.name}.") and not name.endswith(".py"))
    yield from (path.parent / name for name in beside)


def _says_only(file: Path) -> bool:
    return file.name == "__init__.py" and all(map(_says_something, ast.parse(file.read_bytes()).body))


def _says_something(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(ast.Constant()) | ast.Assign([ast.Name("__version__")]):
            return True
        case ast.FunctionDef("__getattr__" | "__dir__"):
            return True
    return False
