"""Extraction on Ray Data: the same parts, by a pool of actors on one machine or many; it needs the extra `ray`.

The content of each part is fixed before any work, and gives the part its name. So a killed actor loses only its present part: another actor makes it again
under the same name, and existing parts are recognised by their names.
"""

import logging
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from thaw.backbones.backbone import Backbone
from thaw.backbones.engines import Precision
from thaw.features.extraction.ray.cluster import cluster, fitting_actors
from thaw.features.extraction.ray.coordinator import begin_coordinator
from thaw.features.extraction.ray.part_maker import Job, portable, row_of
from thaw.features.extraction.worker import ExtractionTask
from thaw.features.store.remote import Mirror
from thaw.features.store.store import FeatureStore, part_name
from thaw.foundation import errors
from thaw.foundation.errors import BadParameters, Unreachable
from thaw.foundation.parallel.ordered_map import map_ahead
from thaw.kinds.kind import Limits
from thaw.params.sections import ExtractParams

FETCHERS = 8
"""The number of threads that fetch parts; a single thread would wait for an object store's answers, and keep less than two GPUs busy (docs/scale.md)."""

log = logging.getLogger(__name__)


def fill_on_ray(
    store: FeatureStore,
    tasks: Sequence[ExtractionTask],
    backbone: Backbone,
    params: ExtractParams,
    *,
    precision: Precision,
    limits: Limits,
) -> Iterator[int]:
    """Compute the tasks on a cluster and fetch the parts; yields the forward passes of each part when it is in the store.

    Errors of Thaw on a machine of the cluster are raised again here.

    Raises:
        BadParameters: Ray is not installed, no actor fits into the cluster, or the place of the parts cannot be used.
        Unreachable: the cluster does not answer, or has failed.
    """
    mirror = Mirror(params.store or str(store.root))
    parts = [part for task in tasks for part in _split(task, params.part_rows)]
    with cluster(params.ray) as ray:
        fitting = fitting_actors(params.ray, ray.cluster_resources())
        actors = min(params.ray.actors or fitting, fitting, len(parts))
        log.info("ray: %d parts on %d actors", len(parts), actors)
        share = sum(part.passes for part in parts) // actors
        job = Job(portable(backbone), params, precision, limits, mirror.url, share)
        coordinator = begin_coordinator(ray, job, [row_of(number, part) for number, part in enumerate(parts)], actors)
        try:
            made = (parts[number] for number in _numbers(ray, coordinator))
            fetch = partial(_fetch, mirror, store, is_shared=params.store is not None)
            for part, _ in map_ahead(fetch, made, workers=FETCHERS, depth=2 * FETCHERS):
                yield part.passes
        except ray.exceptions.RayTaskError:
            raise  # an error in Thaw's own code keeps its traceback
        except ray.exceptions.RayError as error:
            raise Unreachable(f"the Ray cluster failed: {error}") from error


def _split(task: ExtractionTask, rows: int) -> Iterator[ExtractionTask]:
    for start in range(0, len(task.references), rows):
        yield ExtractionTask(task.layers, task.references[start : start + rows])


def _numbers(ray: Any, coordinator: Any) -> Iterator[int]:
    """The number of each part when it is made."""
    while outcome := ray.get(coordinator.next.remote()):
        if outcome["error"]:
            raise getattr(errors, outcome["error"])(outcome["message"])
        yield outcome["number"]


def _fetch(mirror: Mirror, store: FeatureStore, part: ExtractionTask, *, is_shared: bool) -> None:
    name = part_name([digest for digest, _ in part.references])
    for layer in part.layers:
        if not is_shared and not mirror.has(layer, name):
            raise BadParameters(
                f"extract.store: the cluster's machines do not write to {mirror.url} of this machine; name a place that all of them reach, such as "
                "s3://bucket/features"
            )
        mirror.pull(store, layer, [name])
