"""Starts a run of the deployment `transfer` on a Prefect server."""

from flows.project.errors import NoServer

DEPLOYMENT = "transfer/transfer"
NEW_DATA = "new-data"
"""The tag of runs that new data have started."""


def start_transfer(why: str, key: str) -> str:
    """Start a run of `transfer`, unless a run was started with this key; returns a message about the run.

    Raises:
        NoServer: the server does not answer, or has no such deployment.
    """
    import httpx
    from prefect.deployments import run_deployment
    from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError

    try:
        run = run_deployment(
            DEPLOYMENT, parameters={"why": why}, tags=[NEW_DATA], idempotency_key=key, timeout=0, as_subflow=False
        )
    except ObjectNotFound as error:
        raise NoServer(f"the Prefect server has no deployment {DEPLOYMENT}; `thaw schedule` puts it there") from error
    except (httpx.HTTPError, PrefectHTTPStatusError) as error:
        raise NoServer(f"the Prefect server does not answer ({error})") from error
    return f"run {run.name} of {DEPLOYMENT} started"
