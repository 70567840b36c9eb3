"""The deployments in `prefect.yaml`."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from flows.project.errors import BadDeployments

DEPLOYMENTS = Path("prefect.yaml")
TAG = "thaw"
"""The tag of every deployment; automations recognise the runs of Thaw by it."""


@dataclass(frozen=True)
class Deployment:
    """A flow that a Prefect server can run: by a schedule, by an automation, or by hand."""

    name: str
    entrypoint: str
    """`flows.runs.transfer.transfer`, of an installed module; or `FILE:FUNCTION`, of a file below the project."""
    pool: str
    """The work pool whose workers run the flow."""
    crons: tuple[str, ...]
    """Its active schedules."""

    def exists(self, root: Path) -> bool:
        """Whether the module or the file of the flow is there."""
        file, colon, _ = self.entrypoint.rpartition(":")
        if colon:
            return (root / file).is_file()
        try:
            return find_spec(self.entrypoint.rpartition(".")[0]) is not None
        except (ImportError, ValueError):
            return False


def read_deployments(root: Path) -> tuple[Deployment, ...]:
    """The deployments in `prefect.yaml` below `root`.

    Raises:
        BadDeployments: the file is missing or unreadable, or a deployment lacks its name, its flow, its pool or the tag `thaw`.
    """
    path = root / DEPLOYMENTS
    try:
        content = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
        deployments = content["deployments"]
        parsed = tuple(_deployment(values) for values in deployments)
    except FileNotFoundError:
        raise BadDeployments(f"there is no {path}; `git checkout {DEPLOYMENTS}` brings it back") from None
    except (OSError, YAMLError, KeyError, TypeError, AttributeError) as error:
        raise BadDeployments(
            f"{path} cannot be read ({error!r}); see Prefect's documentation of prefect.yaml"
        ) from error
    if untagged := [values["name"] for values in deployments if TAG not in (values.get("tags") or ())]:
        raise BadDeployments(
            f"{path}: {', '.join(untagged)} lack `tags: [{TAG}]`, by which automations find their runs"
        )
    for deployment in parsed:
        if not deployment.exists(root):
            raise BadDeployments(
                f"{path}: the flow of `{deployment.name}` should be {deployment.entrypoint}, which is not there"
            )
    return parsed


def _deployment(values: dict[str, object]) -> Deployment:
    pool, schedules = values["work_pool"], values.get("schedules") or ()
    assert isinstance(pool, dict) and isinstance(schedules, list | tuple)
    crons = tuple(str(entry["cron"]) for entry in schedules if "cron" in entry and entry.get("active", True))
    return Deployment(str(values["name"]), str(values["entrypoint"]), str(pool["name"]), crons)
