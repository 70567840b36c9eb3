"""Puts the deployments of `prefect.yaml`, their work pool and the recovery of killed runs on a Prefect server."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName
from prefect.exceptions import ObjectNotFound

from flows.prefect_server.automations import put
from flows.prefect_server.crash_recovery import PAUSE_S, SILENT_S, rescue
from flows.prefect_server.deployments import DEPLOYMENTS, Deployment
from flows.project.errors import BadDeployments

_DEPLOYED_S = 300.0

Tell = Callable[[str], None]


def put_schedule(
    root: Path,
    deployments: Iterable[Deployment],
    tell: Tell,
    *,
    silent_s: float = SILENT_S,
    pause_s: float = PAUSE_S,
) -> None:
    """Update the server in `PREFECT_API_URL` to the content of `prefect.yaml`; safe to repeat.

    Args:
        root: the project; a worker runs the flows there.
        deployments: the deployments in `prefect.yaml`.
        tell: gets a line for each step.
        silent_s, pause_s: see `flows.prefect_server.crash_recovery`.

    Raises:
        BadDeployments: Prefect refuses the file.
    """
    to_deploy = tuple(deployments)
    with get_client(sync_client=True) as client:
        for pool in sorted({deployment.pool for deployment in to_deploy}):
            tell(f"work pool {pool}: {'made' if _make_pool(client, pool) else 'is there'}")
        paused = _paused(client, to_deploy)
        _deploy(root)
        for deployment in to_deploy:
            at = f" (cron {', '.join(deployment.crons)})" if deployment.crons else ""
            if identity := paused.get(deployment.name):
                client.pause_deployment(identity)  # deploying has resumed it
                at += ", stays paused"
            tell(f"deployment {deployment.name}: is up to date{at}")
        for automation in rescue(silent_s, pause_s):
            tell(f"automation “{automation.name}”: {'made' if put(client, automation) else 'is up to date'}")


def _make_pool(client: SyncPrefectClient, name: str) -> bool:
    """Make a work pool of local processes unless a pool of that name exists, of any type; True if the pool was made."""
    from prefect.workers.process import ProcessWorker

    try:
        client.read_work_pool(name)
    except ObjectNotFound:
        template = ProcessWorker.get_default_base_job_template()
        client.create_work_pool(WorkPoolCreate(name=name, type=ProcessWorker.type, base_job_template=template))
        return True
    return False


def _paused(client: SyncPrefectClient, deployments: Iterable[Deployment]) -> dict[str, UUID]:
    """The ids of the paused deployments, by name."""
    names = DeploymentFilterName(any_=[deployment.name for deployment in deployments])
    present = client.read_deployments(deployment_filter=DeploymentFilter(name=names))
    return {deployment.name: deployment.id for deployment in present if deployment.paused}


def _deploy(root: Path) -> None:
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    # `prefect.yaml` sets the working directory of the flows from PWD.
    environment = {**os.environ, "PWD": str(root), "COLUMNS": "200"}
    process = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, timeout=_DEPLOYED_S, check=False
    )
    if process.returncode:
        lines = [line.strip() for line in (process.stdout + process.stderr).splitlines() if line.strip()]
        raise BadDeployments(f"Prefect does not accept {DEPLOYMENTS}: {lines[-1] if lines else 'it gives no reason'}")
