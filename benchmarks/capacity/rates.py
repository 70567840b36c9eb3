"""What the capacity model starts from: measured rates, and what is assumed or taken from others."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from capacity.figures import BYTES, figure
from pydantic import TypeAdapter


@dataclass(frozen=True)
class Network:
    """A backbone: torchvision's name, the dimension of its features, and what a GPU does, images a second."""

    name: str
    architecture: str
    dim: int
    gpu_images_per_s: float


NETWORKS = (
    Network("ResNet-18", "resnet18", 512, 18247),
    Network("ResNet-50", "resnet50", 2048, 5088),
    Network("ViT-B/16", "vit_b_16", 768, 2843),
)
TYPICAL = NETWORKS[1]
GPU_SOURCE = (
    "[timm's measurements](https://github.com/huggingface/pytorch-image-models/blob/7479d451a6dfd8af27f941b8e82a7402461fae80/"
    "results/benchmark-infer-amp-nhwc-pt240-cu124-rtx4090.csv): one RTX 4090, mixed precision, batches of 512"
)


@dataclass(frozen=True)
class Rates:
    """What `measuring.py` found. Times are of one core; "a row" is one more image where there are many."""

    date: str
    machine: str
    image_bytes: float = figure("a photograph of 500 pixels", BYTES)
    ingest_ms: float = figure("`ingest`, an image: hash and full decode", "ms")
    decode_ms: float = figure("`extract`, an image: decode and transform", "ms")
    forward_ms: Mapping[str, float] = figure("`extract`, forward pass of {}, bfloat16", "ms")
    md5_ms: float = figure("DVC, an image: MD5", "ms")
    dvc_row_us: float = figure("DVC, a file of the source beside its MD5", "us")
    dvc_row_bytes: float = figure("the same, memory", BYTES)
    ingest_row_bytes: float = figure("`ingest`, memory a row", BYTES)
    manifest_row_bytes: float = figure("the manifest on disk, a row", BYTES)
    again_row_us: float = figure(
        "`extract` again with every feature there, a row: checks of the parts, the record", "us"
    )
    again_row_bytes: float = figure("the same, memory a row", BYTES)
    head_row_us: float = figure("`head`, linear, 10 classes, 2048 dimensions, six strengths, a row", "us")
    head_row_bytes: float = figure("the same, memory a row", BYTES)


@dataclass(frozen=True)
class Assumptions:
    """What nobody measured here; change these first when you plan. The machine is the one that drives the run; a cluster's are like it."""

    cores: int = figure("cores of a machine, each as fast as the measured one", default=16)
    memory_bytes: float = figure("memory of a machine", BYTES, default=64e9)
    disk_bytes: float = figure("disk of the machine that drives, for `data/features`", BYTES, default=8e12)
    gpus: int = figure("machines with one GPU each, in the column for a cluster", default=64)
    share_of_bound: float = figure(
        "what a run reaches of the bound that decoding and the forward pass set", default=0.8
    )
    patience_h: float = figure("the longest that anyone waits for one step", "h", default=24)
    request_s: float = figure("an object store's answer to one call", "s", default=0.1)
    stream_mb_s: float = figure("one stream from an object store", "MB/s", default=90)
    keys_a_listing: int = figure("keys a listing call", default=1000, source="Amazon S3, ListObjectsV2")
    lists_an_exists: int = figure(
        "listing calls for `exists` of a part that is not there", default=1, source="s3fs: a HEAD, then a listing"
    )


def read_rates(path: Path) -> Rates:
    """The rates that a run of `scale.py --write` kept."""
    return TypeAdapter(Rates).validate_json(path.read_bytes())


def rates_json(rates: Rates) -> bytes:
    """What `read_rates` reads."""
    return TypeAdapter(Rates).dump_json(rates, indent=2) + b"\n"
