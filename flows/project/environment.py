"""The search for the project, and the environment that Prefect, DVC and MLflow start with.

This module imports none of the three: the variables must be set before the imports.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from flows.project.errors import NotAProject

STATE = Path(".thaw")
"""The folder with the state of this machine's copy of the project: stores, locks, logs."""

QUIET = {
    "DO_NOT_TRACK": "1",
    "DVC_NO_ANALYTICS": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
}


def find_project(start: Path) -> Path:
    """The nearest folder, from `start` upwards, that holds `dvc.yaml` and `params.yaml`; absolute.

    Raises:
        NotAProject: there is no such folder.
    """
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / "dvc.yaml").is_file() and (folder / "params.yaml").is_file():
            return folder
    raise NotAProject(f"{start} is not in a Thaw project (no dvc.yaml and params.yaml); go to the project's folder")


def enter_project(start: Path | None = None) -> Path:
    """Make the project the working directory, with the environment of `defaults`; returns its root.

    Variables that the user has set are kept. Only `PATH` changes: the programs of this Python's environment come first.

    Raises:
        NotAProject: see `find_project`.
    """
    root = find_project(start or Path.cwd())
    os.chdir(root)
    for name, value in defaults(root).items():
        os.environ.setdefault(name, value)
    os.environ["PATH"] = path_with_programs(os.environ)
    os.environ["PWD"] = str(root)
    return root


def defaults(root: Path) -> dict[str, str]:
    """Variables for a quiet, private, local Prefect and MLflow with their state below `root`."""
    return {
        **QUIET,
        "PREFECT_HOME": str(root / STATE / "prefect"),
        # The first start on an empty home migrates a database; on slow machines that takes longer than Prefect's 20 s.
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    }


def path_with_programs(environment: Mapping[str, str]) -> str:
    """`PATH` with the folder of this Python's own programs (`dvc`, `mlflow`, `prefect`) in front."""
    # The path is not resolved: the environment's `python` is a link to the system's Python, and the folder there has other programs.
    programs = str(Path(sys.executable).parent)
    folders = environment.get("PATH", os.defpath).split(os.pathsep)
    rest = [folder for folder in folders if folder != programs]
    return os.pathsep.join([programs, *rest])


def quiet_console() -> None:
    """Keep Prefect's log lines off the terminal: a command shows the run itself, and Prefect's pages have the lines."""
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
