"""Made-up projects of any size, and what one more row costs a stage that runs in them: bytes at its peak, and processor seconds.

A stage runs at two sizes, each time as `python -m tasks.NAME` in a project of its own, and the slope between them counts.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import torch
from capacity.rates import TYPICAL
from PIL import Image

from tasks.project.paths import FEATURES, FEATURES_INDEX, MANIFEST, SETTINGS
from thaw.backbones.architectures import build_seeded
from thaw.backbones.backbone import read_backbone
from thaw.dataset.manifest import Example, Manifest, build_manifest, write_manifest
from thaw.features.extraction.extraction import cut_layers
from thaw.features.store.environment import made_with
from thaw.features.store.store import FeatureIndex, FeatureStore, hash_digests, write_index
from thaw.foundation.files.atomic import digest_bytes, write_text
from thaw.params.sections import BackboneParams, ExtractParams
from thaw.params.values.reading import read_params, write_settings

ROOT = Path(__file__).resolve().parents[2]
INGEST, EXTRACT, HEAD = (["-m", f"tasks.stages.{name}"] for name in ("ingest", "extract", "head"))
DVC = ["-m", "dvc", "repro", "--quiet"]
CLASSES = 10
SOURCE, WEIGHTS = Path("images"), Path("weights.pth")
_REPORTING = (
    "import resource, subprocess, sys; subprocess.run([sys.executable, *sys.argv[1:]], check=True); "
    "used = resource.getrusage(resource.RUSAGE_CHILDREN); print(used.ru_maxrss, used.ru_utime + used.ru_stime)"
)
"""Started small, because Linux counts what the starting process holds as its child's peak; this one holds nothing."""


@dataclass(frozen=True)
class Slope:
    """Of one more row."""

    nbytes: float
    seconds: float


def slope(make: Callable[[Path, int], None], command: list[str], few: int, many: int) -> Slope:
    """Run a command in projects of both sizes."""
    (bytes_few, seconds_few), (bytes_many, seconds_many) = (_used(make, command, rows) for rows in (few, many))
    return Slope((bytes_many - bytes_few) / (many - few), (seconds_many - seconds_few) / (many - few))


def _used(make: Callable[[Path, int], None], command: list[str], rows: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), rows)
        own = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        start = [sys.executable, "-c", _REPORTING, *command]
        ran = subprocess.run(start, cwd=folder, env=own, check=True, capture_output=True, text=True)
    peak, seconds = ran.stdout.split()[-2:]
    return float(peak) * 1024, float(seconds)


def digest(row: int) -> bytes:
    """The digest of a made-up image."""
    return digest_bytes(row.to_bytes(8, "little"))


def made_up_manifest(rows: int) -> Manifest:
    """Names and sizes that do not compress; a tenth is for validation."""
    return build_manifest(_example(row) for row in range(rows))


def _example(row: int) -> Example:
    own, label, split = digest(row), f"class{row % CLASSES}", "val" if row // CLASSES % 10 == 9 else "train"
    shape, size = (300 + own[0] % 200, 500, 3), 50_000 + int.from_bytes(own[:2], "little")
    return Example(own, f"{label}/{own.hex()[:16]}.jpg", label, split, None, shape, size)


def make_source(project: Path, rows: int) -> None:
    """Pictures of 8 x 8 pixels, so that what is held for each file is all that grows; DVC looks at them for a stage that does nothing."""
    buffer = BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "BMP")
    for label in range(CLASSES):
        (project / SOURCE / f"class{label}").mkdir(parents=True)
    for row in range(rows):
        path = project / SOURCE / f"class{row % CLASSES}" / f"{digest(row).hex()[:16]}.bmp"
        path.write_bytes(buffer.getvalue() + row.to_bytes(8, "little"))
    _write_params(project)
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "--quiet"], cwd=project, check=True)
    write_text(project / "dvc.yaml", f"stages: {{ingest: {{cmd: 'true', deps: [{SOURCE}]}}}}\n")


def make_features(project: Path, rows: int) -> None:
    """A manifest, and features of the typical network that show the classes a little."""
    _write_params(project)
    manifest = made_up_manifest(rows)
    write_manifest(manifest, project / MANIFEST)
    torch.save(build_seeded(TYPICAL.architecture, 1000, 0).state_dict(), project / WEIGHTS)
    backbone = read_backbone(BackboneParams(weights=str(project / WEIGHTS)))
    params = ExtractParams()
    (layer,) = cut_layers(backbone, "float32", params.dtype, params.views)
    generator, store = torch.Generator().manual_seed(0), FeatureStore(project / FEATURES)
    for first in range(0, rows, params.part_rows):
        block = range(first, min(first + params.part_rows, rows))
        features = torch.rand(len(block), layer.dim, generator=generator)
        features[torch.arange(len(block)), torch.tensor(block) % CLASSES] += 0.5
        store.write(layer, [digest(row) for row in block], features, made_with())
    digests = manifest.digests
    index = FeatureIndex(backbone.architecture, params.dtype, (layer,), len(digests), hash_digests(digests))
    write_index(index, project / FEATURES_INDEX)


def _write_params(project: Path) -> None:
    (project / MANIFEST).parent.mkdir()
    write_text(project / "params.yaml", f"dataset: {{source: {SOURCE}}}\nbackbone: {{weights: {WEIGHTS}}}\n")
    write_settings(read_params(project / "params.yaml"), project / SETTINGS)
