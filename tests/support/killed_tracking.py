"""Runs the stage `track` and the registration over and over in children of one process, which kill themselves with SIGKILL where they are told to.

Usage, in a project's root: `python killed_tracking.py STEP...`; a step is `MODULE:CLASS.METHOD` (killed right after its first call), the same
with a `-` in front (right before), `run` (to the end), `twice` (two children at once) or `cd:FOLDER` (go on in another project). Prints, as JSON,
what the registry holds after each.
"""

import importlib
import json
import os
import signal
import sys
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

import mlflow.data.pandas_dataset
import mlflow.pyfunc
import mlflow.store.model_registry.sqlalchemy_store
import mlflow.store.tracking.sqlalchemy_store
from registration import track_and_register

from tasks.registry import mlflow_run, registering


def deadly(step: str) -> None:
    """Make the first call of a function the last thing that this process does."""
    before, where = step.startswith("-"), step.removeprefix("-")
    module, _, path = where.partition(":")
    *owners, name = path.split(".")
    owner = reduce(getattr, owners, importlib.import_module(module))
    original = getattr(owner, name)

    def last(*args: Any, **kwargs: Any) -> Any:
        if not before:
            original(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, last)


def forked(work: Callable[[], None]) -> int:
    """Start `work` in a child; returns its process id."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(code)
    return child


def ended(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def attempt(step: str) -> list[int]:
    """Exit codes of the children that a step asks for."""
    if step == "twice":
        return [ended(child) for child in [forked(track_and_register), forked(track_and_register)]]

    def work() -> None:
        if step != "run":
            deadly(step)
        track_and_register()

    return [ended(forked(work))]


def look(file: Path) -> None:
    """Write what there is, from a child: this process must stay without connections and threads."""
    from tasks.registry.mlflow_store import connect

    client = connect()
    runs = client.search_runs([one.experiment_id for one in client.search_experiments()])
    found = {
        "versions": [one.run_id for one in client.search_model_versions()],
        "aliases": [one.aliases for one in client.search_registered_models()],
        "runs": {one.info.run_id: one.info.status for one in runs},
        "left": sorted(path.name for path in Path(".thaw").glob("model-*")),
        "written": Path("data/registered.json").exists(),
    }
    file.write_text(json.dumps(found))


def main() -> None:
    assert mlflow_run and registering and mlflow  # imported before the forks, because that takes longest
    said = []
    for step in sys.argv[1:]:
        if step.startswith("cd:"):
            os.chdir(step.removeprefix("cd:"))
            continue
        codes = attempt(step)
        assert ended(forked(lambda: look(Path("found.json")))) == 0
        said.append({"codes": codes, **json.loads(Path("found.json").read_text())})
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main()
