"""MLflow's store and the translation of its errors; the store is SQLite below the project, unless `MLFLOW_TRACKING_URI` names another."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from thaw.foundation.errors import RegistryError, Unreachable

if TYPE_CHECKING:
    from mlflow import MlflowClient

STATE = Path(".thaw")
ARTIFACTS = STATE / "mlartifacts"
_URI, _REGISTRY_URI = "MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"
_DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",  # nobody needs its notes on new tables
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # A dead server is noticed in 15 s and not in 4 minutes; the flow tries a stage again by itself.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
}
"""MLflow's variables where the user has set none; it reads them when it is imported."""
_MAY_PASS = (429, 500, 503, 504)


def local_uri() -> str:
    """The project's own store."""
    return f"sqlite:///{(STATE / 'mlflow.db').absolute()}"


def tracking_uri() -> str:
    """`MLFLOW_TRACKING_URI`, else the project's own store."""
    return os.environ.get(_URI) or local_uri()


def is_local() -> bool:
    """Whether MLflow is the project's own store, whose files show that nothing was written."""
    return os.environ.get(_REGISTRY_URI) in (None, "", local_uri()) and tracking_uri() == local_uri()


def connect() -> "MlflowClient":
    """Point MLflow at the store, and make the folder of the project's own store if that one is used.

    Raises:
        Unreachable, RegistryError: see `explained`.
    """
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    uri = tracking_uri()
    if uri == local_uri():
        STATE.mkdir(exist_ok=True)
    import mlflow

    with explained(), _environment_kept():
        mlflow.set_tracking_uri(uri)
        mlflow.set_registry_uri(os.environ.get(_REGISTRY_URI) or uri)
        return mlflow.MlflowClient()


@contextmanager
def _environment_kept() -> Iterator[None]:
    """A context that restores MLflow's variables. MLflow sets them for child processes, and there and here they would later look like a choice of the user."""
    given = {name: os.environ.get(name) for name in (_URI, _REGISTRY_URI)}
    try:
        yield
    finally:
        for name, value in given.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def experiment_id(client: "MlflowClient", name: str) -> str:
    """The id of the experiment of a name; a missing experiment is made, a deleted one restored. Two processes may do so at once.

    In the project's own store its artifacts lie in `ARTIFACTS`.
    """
    from mlflow.exceptions import MlflowException

    location = str(ARTIFACTS.absolute()) if tracking_uri() == local_uri() else None
    with explained():
        experiment = client.get_experiment_by_name(name)
        if experiment is None:
            try:
                return str(client.create_experiment(name, artifact_location=location))
            except MlflowException:  # another process may have made the experiment in between
                experiment = client.get_experiment_by_name(name)
                if experiment is None:
                    raise
        if experiment.lifecycle_stage == "deleted":
            client.restore_experiment(experiment.experiment_id)
        return str(experiment.experiment_id)


@contextmanager
def explained() -> Iterator[None]:
    """A context that translates the errors of MLflow and of its data base.

    Raises:
        Unreachable: the server or its data base did not answer; another try may succeed.
        RegistryError: it refused.
    """
    import requests
    import sqlalchemy.exc
    from mlflow.exceptions import MlflowException

    try:
        yield
    except requests.exceptions.RequestException as error:
        raise Unreachable(
            f"MLflow at {tracking_uri()} did not answer ({type(error).__name__}); is it running?"
        ) from error
    except sqlalchemy.exc.OperationalError as error:
        raise Unreachable(f"MLflow's data base {tracking_uri()} cannot be used: {error.orig}") from error
    except sqlalchemy.exc.DatabaseError as error:
        raise RegistryError(
            f"{tracking_uri()} is no data base of MLflow: {error.orig}; restore it, or move it away"
        ) from error
    except MlflowException as error:
        raise _translated(error) from error


def _translated(error: "Exception") -> RegistryError | Unreachable:
    from mlflow.exceptions import MlflowException

    assert isinstance(error, MlflowException)
    message = str(error).splitlines()[0]
    if "out-of-date database schema" in message:
        return RegistryError(
            f"{tracking_uri()} is of another version of MLflow; back it up, then run `mlflow db upgrade` on it"
        )
    if "Failed to establish a new connection" in message or "Connection aborted" in message:
        return Unreachable(f"MLflow at {tracking_uri()} did not answer; is it running?")
    if error.get_http_status_code() in _MAY_PASS:
        return Unreachable(f"MLflow at {tracking_uri()} failed: {message}")
    return RegistryError(f"MLflow at {tracking_uri()} refused: {message}")
