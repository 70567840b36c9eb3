"""A source of series, the backbone that takes them, and the package that brings the kind, laid where Python looks for packages."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from safetensors.torch import save_file
from series_kind.kind import written
from series_kind.network import seeded_weights
from series_kind.preprocessing import SeriesPreprocessing

from thaw.backbones import architectures
from thaw.kinds import registry

ENTRY_POINTS = """\
[thaw.kinds]
series = series_kind.kind:KIND
[thaw.architectures]
series_net = series_kind.network:build
"""
CLASSES = ("calm", "rising", "rough")


def install(site: Path) -> Path:
    """The package `series_kind` in a folder for PYTHONPATH, with the entry points by which Thaw learns of it."""
    shutil.copytree(
        Path(__file__).with_name("series_kind"), site / "series_kind", ignore=shutil.ignore_patterns("__pycache__")
    )
    metadata = site / "series_kind-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: series-kind\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
    return site


def write_series(source: Path, count: int, *, seed: int = 0) -> Path:
    """`count` series of each class, of 12 to 60 numbers, none alike."""
    chance = np.random.default_rng(seed)
    for name in CLASSES:
        (source / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            (source / name / f"{seed}-{number:03}.csv").write_bytes(written(a_series(name, chance).tolist()))
    return source


def a_series(name: str, chance: np.random.Generator) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Slow waves, a slope, or quick waves, each with some noise."""
    places = np.arange(int(chance.integers(12, 61)))
    phase = chance.uniform(0, 2 * np.pi)
    shape = {
        "calm": np.sin(places / 6 + phase),
        "rising": places / 20 + np.sin(phase),
        "rough": np.sin(2.5 * places + phase),
    }[name]
    return np.asarray(shape + chance.normal(0, 0.25, len(places)))


def write_backbone(path: Path) -> Path:
    """A file of weights that states its architecture and its preprocessing."""
    stated = {"architecture": "series_net", "preprocessing": SeriesPreprocessing(mean=0.5, std=2.0).to_json()}
    save_file(seeded_weights(), path, stated)
    return path


@contextmanager
def registered(site: Path) -> Iterator[None]:
    """This process finds the package within the context."""
    sys.path.insert(0, str(install(site)))
    _forget()
    try:
        yield
    finally:
        sys.path.remove(str(site))
        _forget()


def _forget() -> None:
    for known in (registry.kind_named, registry._brought, architectures._brought, architectures.architecture_names):
        known.cache_clear()
