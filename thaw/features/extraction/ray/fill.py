"""Extraction on Ray Data: the same parts, by a pool of actors on one machine or many. Needs the extra `ray`.

What goes into a part is settled before any work, and a part is named after it. So an actor that is killed costs the part it was at: another makes
it again, under the same name, and finds by the name what is there already.
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
"""Threads that bring parts here: one alone would wait for the answers of an object store, and keep less than two GPUs busy (docs/scale.md)."""

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
    """Compute the tasks on a cluster and bring the parts here; yields the forward passes of each part once it is in the store.

    What Thaw raises on a machine of the cluster is raised here.

    Raises:
        BadParameters: Ray is not installed, no actor fits into the cluster, or the place for the parts cannot be used.
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
            raise  # a mistake of Thaw's own, which should be seen as it is
        except ray.exceptions.RayError as error:
            raise Unreachable(f"the Ray cluster failed: {error}") from error


def _split(task: ExtractionTask, rows: int) -> Iterator[ExtractionTask]:
    for start in range(0, len(task.images), rows):
        yield ExtractionTask(task.layers, task.images[start : start + rows])


def _numbers(ray: Any, coordinator: Any) -> Iterator[int]:
    """The numbers of the parts, each once it is made."""
    while outcome := ray.get(coordinator.next.remote()):
        if outcome["error"]:
            raise getattr(errors, outcome["error"])(outcome["message"])
        yield outcome["number"]


def _fetch(mirror: Mirror, store: FeatureStore, part: ExtractionTask, *, is_shared: bool) -> None:
    name = part_name([digest for digest, _ in part.images])
    for layer in part.layers:
        if not is_shared and not mirror.has(layer, name):
            raise BadParameters(
                f"extract.store: the cluster's machines do not write to {mirror.url} of this one; name a place that all of them reach, such as "
                "s3://bucket/features"
            )
        mirror.pull(store, layer, [name])
