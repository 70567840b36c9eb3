"""The Ray cluster: an existing one, or one on this machine for the time of a run."""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from thaw.foundation.errors import BadParameters, Unreachable
from thaw.params.sections import RayParams

OBJECT_STORE_BYTES = 256 * 2**20
"""The object store of a cluster on this machine; it holds digests and paths, no examples and no features."""

KNOCK_S = 10


@contextmanager
def cluster(params: RayParams) -> Iterator[Any]:
    """A context with Ray, connected to the cluster of the parameters, or to one that is started on this machine and ends with the context.

    Raises:
        BadParameters: Ray is not installed.
        Unreachable: no cluster answers at that address.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray: Any = import_module("ray")
    except ImportError as error:
        raise BadParameters(
            "extract.engine: ray is not installed; `make install` brings it, or `pip install -e '.[ray]'` in Thaw's folder"
        ) from error
    try:
        _connect(ray, params)
        yield ray
    finally:
        ray.shutdown()


def fitting_actors(params: RayParams, resources: dict[str, float]) -> int:
    """The number of actors that fit into a cluster with these resources. Raises BadParameters: no actor fits."""
    fitting = resources.get("CPU", 0) // params.num_cpus
    if params.num_gpus:
        fitting = min(fitting, resources.get("GPU", 0) // params.num_gpus)
    if not fitting:
        raise BadParameters(
            f"extract.ray: an actor needs {params.num_cpus:g} cores and {params.num_gpus:g} GPUs, and the whole cluster has "
            f"{resources.get('CPU', 0):g} and {resources.get('GPU', 0):g}"
        )
    return int(fitting)


def _connect(ray: Any, params: RayParams) -> None:
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if params.address:
            _knock(params.address)
            # The cluster's machines have Thaw's requirements, and get this version of Thaw.
            shipped = {"py_modules": [str(Path(__file__).parents[3])]}
            ray.init(address=params.address, runtime_env=shipped, **quiet)
        else:
            # "local" starts a new cluster, even if another runs on this machine.
            local = {"address": "local", "include_dashboard": False, "_node_ip_address": "127.0.0.1"}
            ray.init(object_store_memory=OBJECT_STORE_BYTES, **local, **quiet)
    except (OSError, RuntimeError, ValueError) as error:
        if not params.address:
            raise Unreachable(f"Ray cannot be started ({error})") from error
        raise Unreachable(
            f"extract.ray.address: {params.address} does not answer ({error}); a cluster that asks for a token needs RAY_AUTH_MODE=token"
        ) from error


def _knock(address: str) -> None:
    """Check that a process listens at the address, because Ray itself would try for minutes. Raises OSError or ValueError."""
    place = urlsplit(address if "://" in address else f"//{address}")
    if place.hostname and place.port:
        socket.create_connection((place.hostname, place.port), KNOCK_S).close()
