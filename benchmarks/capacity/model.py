"""From rates and assumptions to what a number of images needs, and where that gives out; pure functions."""

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from capacity.figures import BYTES, HOURS, NUMBER
from capacity.rates import TYPICAL, Assumptions, Network, Rates

from thaw.features.extraction.ray.fill import FETCHERS
from thaw.params.sections import ExtractParams

PART_ROWS = ExtractParams().part_rows
ARROW_ROWS = 2**31 - 1
"""Arrow finds rows by 32-bit numbers (`index_in`)."""
_HOUR, _ENDLESS = 3600, 10**14


@dataclass(frozen=True)
class Need:
    """What a number of images needs, `of` it, and how much there is: `limit`. What would help is the `remedy`."""

    name: str
    unit: str
    of: Callable[[int], float]
    limit: float = math.inf
    remedy: str = ""

    @property
    def most(self) -> float:
        """The most images for which there is enough."""
        found = bisect_right(range(_ENDLESS), self.limit, key=self.of) - 1
        return math.inf if found == _ENDLESS - 1 else found


def gpu_s(network: Network, rates: Rates, assumed: Assumptions) -> float:
    """Seconds an image of a machine with one GPU, whose cores decode meanwhile."""
    return max(1 / network.gpu_images_per_s, rates.decode_ms / 1e3 / assumed.cores) / assumed.share_of_bound


def core_s(network: Network, rates: Rates, assumed: Assumptions) -> float:
    """Seconds an image of one core that decodes and computes."""
    return (rates.decode_ms + rates.forward_ms[network.name]) / 1e3 / assumed.share_of_bound


def feature_bytes(network: Network) -> int:
    """Of an image: a digest and a feature, float32."""
    return 32 + 4 * network.dim


def fetch_s(network: Network, assumed: Assumptions) -> float:
    """Seconds in which Ray's driver fetches a part, with all its threads together."""
    return (assumed.request_s + PART_ROWS * feature_bytes(network) / (assumed.stream_mb_s * 1e6)) / FETCHERS


def gpus_kept_up(network: Network, rates: Rates, assumed: Assumptions) -> float:
    """How many GPUs make parts as fast as one driver fetches them."""
    return PART_ROWS * gpu_s(network, rates, assumed) / fetch_s(network, assumed)


def needs(network: Network, rates: Rates, assumed: Assumptions) -> list[Need]:
    """Everything that grows with the images, from none to a head with every row labelled. None shrinks as they grow more."""
    wider = network.dim / TYPICAL.dim  # `head` was measured on the typical network's features
    md5_s = rates.md5_ms / 1e3 * (1 + feature_bytes(network) / rates.image_bytes)

    def parts(images: int) -> int:
        return ceil(images / PART_ROWS)

    def listings(images: int) -> int:
        return 2 * ceil(parts(images) / assumed.keys_a_listing)

    def hours(seconds: float) -> Callable[[int], float]:
        return lambda images: images * seconds / _HOUR

    def fetching_h(images: int) -> float:
        return parts(images) * fetch_s(network, assumed) / _HOUR

    def cluster_h(images: int) -> float:
        computing = hours(gpu_s(network, rates, assumed) / assumed.gpus)
        return max(computing(images), fetching_h(images))

    wait, memory = assumed.patience_h, assumed.memory_bytes
    return [
        Need("hours of DVC's hashes, images and features", HOURS, hours((rates.dvc_row_us / 1e6 + md5_s) / assumed.cores), wait,
             "images in shards (tar, Parquet): thousands of files, not millions"),
        Need("hours of `ingest`", HOURS, hours(rates.ingest_ms / 1e3 / assumed.cores), wait, "`ingest` on Ray, shard by shard"),
        Need("**GPU-hours** of `extract`, so hours on one GPU", HOURS, hours(gpu_s(network, rates, assumed)), wait,
             "more GPUs (`extract.engine: ray`)"),
        Need(f"hours of `extract` on {assumed.gpus} GPUs by Ray, parts through an object store", HOURS, cluster_h),
        Need("hours of the driver in it: fetching parts", HOURS, fetching_h, wait,
             "leave the parts in the object store, and read them there"),
        Need("core-hours of `extract` without a GPU", HOURS, hours(core_s(network, rates, assumed))),
        Need("hours of `extract` again, nothing to compute", HOURS, hours(rates.again_row_us / 1e6), wait,
             "check parts by threads, or only the new ones"),
        Need("hours of `head`, one core", HOURS, hours(rates.head_row_us / 1e6 * wider), wait, "fit on a sample"),
        Need("storage: images", BYTES, lambda images: images * rates.image_bytes),
        Need("storage: features, here and in `extract.store`, each", BYTES, lambda images: images * feature_bytes(network),
             assumed.disk_bytes, "`extract.dtype: float16`; read from the object store"),
        Need("storage: manifest", BYTES, lambda images: images * rates.manifest_row_bytes),
        Need("parts, so PUT calls and, by Ray, GET calls", NUMBER, parts),
        Need("**listing calls** of `extract.store`", NUMBER, listings),
        Need("the same by Ray, whose actors ask for each part", NUMBER,
             lambda images: listings(images) + parts(images) * assumed.lists_an_exists),
        Need("listing calls of the images, were their folder a bucket", NUMBER, lambda images: ceil(images / assumed.keys_a_listing)),
        Need("memory of DVC", BYTES, lambda images: images * rates.dvc_row_bytes, memory, "images in shards"),
        Need("memory of `ingest`", BYTES, lambda images: images * rates.ingest_row_bytes, memory, "a sharded manifest, each shard written when full"),
        Need("memory of `extract`", BYTES, lambda images: images * rates.again_row_bytes, memory, "digests compared shard by shard, not in sets"),
        Need("memory of `head`", BYTES, lambda images: images * rates.head_row_bytes * wider, memory,
             "`dataset.labels_per_class`; a head fitted in batches"),
        Need("rows that Arrow can number", NUMBER, lambda images: images, ARROW_ROWS, "a sharded manifest"),
    ]  # fmt: skip
