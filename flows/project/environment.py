"""Finding the project, and the environment that Prefect, DVC and MLflow start with.

Nothing here imports them: the variables must stand before they are imported.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from flows.project.errors import NotAProject

STATE = Path(".thaw")
"""What belongs to this machine's copy of the project: stores, locks, logs."""

QUIET = {
    "DO_NOT_TRACK": "1",
    "DVC_NO_ANALYTICS": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
}


def find_project(start: Path) -> Path:
    """The nearest folder, from `start` upwards, that holds `dvc.yaml` and `params.yaml`; absolute.

    Raises:
        NotAProject: there is none.
    """
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / "dvc.yaml").is_file() and (folder / "params.yaml").is_file():
            return folder
    raise NotAProject(f"{start} is not in a Thaw project (no dvc.yaml and params.yaml); go to the project's folder")


def enter_project(start: Path | None = None) -> Path:
    """Make the project the working directory, with the environment of `defaults`; returns its root.

    What the user has set is kept. Only `PATH` changes: the programs of this Python's environment come first.

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
    """Variables for a quiet, private, local Prefect and MLflow whose state lies below `root`."""
    return {
        **QUIET,
        "PREFECT_HOME": str(root / STATE / "prefect"),
        # The first start on an empty home migrates a data base, too long for Prefect's 20 s on slow machines.
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    }


def path_with_programs(environment: Mapping[str, str]) -> str:
    """`PATH` with the folder of this Python's own programs (`dvc`, `mlflow`, `prefect`) in front."""
    # Not resolved: the environment's `python` is a link to the system's, whose folder has other programs.
    programs = str(Path(sys.executable).parent)
    folders = environment.get("PATH", os.defpath).split(os.pathsep)
    others = [folder for folder in folders if folder != programs]
    return os.pathsep.join([programs, *others])


def quiet_console() -> None:
    """Keep Prefect's log lines off the terminal: a command shows the run itself, its pages have the lines."""
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
