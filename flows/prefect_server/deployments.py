"""The deployments that `prefect.yaml` names."""

from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from flows.project.errors import BadDeployments

DEPLOYMENTS = Path("prefect.yaml")
TAG = "thaw"
"""Of every deployment: automations know by it whose runs they look after."""


@dataclass(frozen=True)
class Deployment:
    """A flow that a Prefect server can run: by a schedule, by an automation, or by hand."""

    name: str
    entrypoint: str
    pool: str
    """The work pool whose workers run it."""
    crons: tuple[str, ...]
    """Its active schedules."""

    @property
    def file(self) -> str:
        """Where the flow is, relative to the project."""
        return self.entrypoint.partition(":")[0]


def read_deployments(root: Path) -> tuple[Deployment, ...]:
    """What `prefect.yaml` below `root` names.

    Raises:
        BadDeployments: it is missing, cannot be read, or one of them lacks its name, its flow, its pool or the tag `thaw`.
    """
    path = root / DEPLOYMENTS
    try:
        found = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
        deployments = found["deployments"]
        read = tuple(_read(values) for values in deployments)
    except FileNotFoundError:
        raise BadDeployments(f"there is no {path}; `git checkout {DEPLOYMENTS}` brings it back") from None
    except (OSError, YAMLError, KeyError, TypeError, AttributeError) as error:
        raise BadDeployments(f"{path} cannot be read ({error!r}); see Prefect's documentation of it") from error
    if untagged := [values["name"] for values in deployments if TAG not in (values.get("tags") or ())]:
        raise BadDeployments(
            f"{path}: {', '.join(untagged)} lack `tags: [{TAG}]`, by which automations find their runs"
        )
    for deployment in read:
        if not (root / deployment.file).is_file():
            raise BadDeployments(
                f"{path}: the flow of `{deployment.name}` should be in {deployment.file}, which is not there"
            )
    return read


def _read(values: dict[str, object]) -> Deployment:
    pool, schedules = values["work_pool"], values.get("schedules") or ()
    assert isinstance(pool, dict) and isinstance(schedules, list | tuple)
    crons = tuple(str(one["cron"]) for one in schedules if "cron" in one and one.get("active", True))
    return Deployment(str(values["name"]), str(values["entrypoint"]), str(pool["name"]), crons)
