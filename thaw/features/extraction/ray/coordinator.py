"""The actor that drives Ray Data; the driver must be inside the cluster, and cannot sit at the other end of `ray://`."""

import logging
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from thaw.features.extraction.ray.part_maker import Job, PartMaker
from thaw.params.sections import RayParams

HEAD = "node:__internal_head__"


class Coordinator:
    """The driver; it returns the actors' outcome of each row as it comes."""

    def __init__(self, jobs: Sequence[Any], rows: Sequence[dict[str, Any]], actors: int, params: RayParams) -> None:
        data: Any = import_module("ray.data")
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        context = data.DataContext.get_current()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        made = data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            PartMaker,
            batch_size=1,
            batch_format="pyarrow",
            fn_constructor_args=(jobs,),
            compute=data.ActorPoolStrategy(size=actors),
            num_cpus=params.num_cpus,
            num_gpus=params.num_gpus,
        )
        self._outcomes = iter(made.iter_rows())

    def next(self) -> dict[str, Any] | None:
        """The next `OUTCOME`; None after the last."""
        exceptions: Any = import_module("ray.exceptions")
        try:
            return next(self._outcomes, None)
        except exceptions.RayTaskError:
            raise
        except exceptions.RayError as error:
            lines = str(error).strip().splitlines() or [type(error).__name__]
            return {"number": -1, "error": "Unreachable", "message": f"the Ray cluster failed: {lines[-1]}"}


def begin_coordinator(ray: Any, job: Job, rows: Sequence[dict[str, Any]], actors: int) -> Any:
    """Start the coordinator on the cluster's head, because the cluster can lose any other machine."""
    placed = ray.remote(Coordinator).options(num_cpus=0, resources={HEAD: 0.001})
    return placed.remote([ray.put(job)], rows, actors, job.params.ray)
