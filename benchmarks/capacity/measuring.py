"""Measures the rates that the capacity model starts from, on one core, with Thaw's own code and stages.

Seconds are the processor's, which others on the same machine hardly change.
"""

import hashlib
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import torch
from capacity import projects
from capacity.rates import NETWORKS, Network, Rates

from thaw.backbones.architectures import build_seeded, default_preprocessing
from thaw.backbones.backbone import AUTO, cut
from thaw.backbones.engines.engine import Engine
from thaw.backbones.engines.openvino_engine import build_openvino_engine
from thaw.backbones.engines.torch_engine import build_torch_engine
from thaw.backbones.weights import Weights
from thaw.dataset.ingestion import ingest
from thaw.dataset.manifest import write_manifest
from thaw.dataset.places import Places
from thaw.foundation.parallel.torch_threads import threads
from thaw.kinds.images.decoding import decode_pixels
from thaw.kinds.images.kind import KIND
from thaw.params.sections import DatasetParams

MOST_PIXELS = 10**8


def measure(photographs: Path, *, quick: bool) -> Rates:
    """Every rate. `quick`: a tenth of the rows, one round, fewer photographs; good for a look, too noisy to keep."""
    rounds, share = (1, 10) if quick else (3, 1)
    paths = sorted(photographs.rglob("*.jp*g"))
    contents = [path.read_bytes() for path in paths[: 16 if quick else 64]]
    exact = default_preprocessing("resnet50", Path("none"))
    with threads(1):
        ingesting = _seconds(
            lambda: ingest(Places(photographs), DatasetParams(source=str(photographs)), KIND, workers=1), rounds
        )
        decoding = _seconds(lambda: [decode_pixels(content, exact, MOST_PIXELS) for content in contents], rounds)
        hashing = _seconds(lambda: [hashlib.md5(content, usedforsecurity=False) for content in contents], rounds)
        forward = {network.name: 1e3 * _forward_s(network, contents[:16], rounds) for network in NETWORKS}
    # Fewer rows would not do: below these what a stage loads hides what it holds, and solvers take more rounds on few rows.
    dvc = projects.slope(projects.make_source, projects.DVC, 10_000 // share, 40_000 // share)
    ingested = projects.slope(projects.make_source, projects.INGEST, 40_000 // share, 100_000 // share)
    again = projects.slope(projects.make_features, projects.EXTRACT, 200_000 // share, 500_000 // share)
    head = projects.slope(projects.make_features, projects.HEAD, 60_000 // share, 180_000 // share)
    return Rates(
        date=datetime.now(UTC).date().isoformat(),
        machine=_machine(),
        image_bytes=statistics.fmean(path.stat().st_size for path in paths),
        ingest_ms=1e3 * ingesting / len(paths),
        decode_ms=1e3 * decoding / len(contents),
        forward_ms=forward,
        md5_ms=1e3 * hashing / len(contents),
        dvc_row_us=1e6 * dvc.seconds,
        dvc_row_bytes=dvc.nbytes,
        ingest_row_bytes=ingested.nbytes,
        manifest_row_bytes=_manifest_bytes(200_000 // share),
        again_row_us=1e6 * again.seconds,
        again_row_bytes=again.nbytes,
        head_row_us=1e6 * head.seconds,
        head_row_bytes=head.nbytes,
    )


def _seconds(work: Callable[[], object], rounds: int) -> float:
    """Median processor seconds of some rounds; one more warms up."""
    taken = []
    for _ in range(rounds + 1):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return statistics.median(taken[1:])


def _forward_s(network: Network, contents: list[bytes], rounds: int) -> float:
    """Seconds an image of the fastest engine; the weights are random, which costs the same."""
    weights = Weights(build_seeded(network.architecture, 1000, 0).state_dict(), {})
    preprocessing = default_preprocessing(network.architecture, Path("none"))
    backbone = cut(network.architecture, weights, (AUTO,), preprocessing)
    pixels = torch.stack([decode_pixels(content, preprocessing, MOST_PIXELS) for content in contents])
    engines: list[Engine] = [build_torch_engine(backbone, "bfloat16", torch.device("cpu"))]
    if find_spec("openvino") is not None:
        engines.append(build_openvino_engine(backbone, "bfloat16", (pixels.shape[2], pixels.shape[3]), workers=1))
    return min(_seconds(lambda engine=engine: engine.features(pixels), rounds) for engine in engines) / len(pixels)


def _manifest_bytes(rows: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "manifest.parquet"
        write_manifest(projects.made_up_manifest(rows), path)
        return path.stat().st_size / rows


def _machine() -> str:
    """The processor with what speeds up products on it, and the number of cores, as Linux tells."""
    text = Path("/proc/cpuinfo").read_text()
    named = (line.split(":", 1)[1].strip() for line in text.splitlines() if "model name" in line)
    units = [name for name, flag in (("AVX-512", "avx512f"), ("AMX", "amx_bf16")) if flag in text]
    return f"{next(named, platform.machine())}, {os.cpu_count()} cores" + (f" ({', '.join(units)})" if units else "")
