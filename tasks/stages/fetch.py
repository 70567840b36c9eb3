"""The stage `fetch`: it downloads the data set and the weights that the parameters name, if they are missing."""

import logging
import os
from pathlib import Path

from tasks.project.entry import stage
from tasks.project.paths import SETTINGS, SOURCES, WEIGHTS
from tasks.project.progress import counted
from thaw.backbones.shipped_weights import lay_shipped
from thaw.params.values.reading import read_settings

log = logging.getLogger(__name__)


def main() -> None:
    """Create `data/sources/` and `data/weights/` with the data set and the weights of the parameters."""
    params = read_settings(SETTINGS)
    SOURCES.mkdir(parents=True, exist_ok=True)
    WEIGHTS.mkdir(parents=True, exist_ok=True)
    source = _first_below(Path(params.dataset.source), SOURCES)
    if source is not None and not source.exists():
        from thaw.dataset.builtin import DOWNLOADS, write_builtin

        log.info("fetch: %s is not here; bringing it from %s", source, DOWNLOADS.get(source.name, "scikit-learn"))
        write_builtin(source)
    weights = _first_below(Path(params.backbone.weights), WEIGHTS)
    if weights is not None and not weights.exists():
        log.info("fetch: %s is not here; bringing it", weights)
        if not lay_shipped(weights):
            _fetch(weights)


def _fetch(weights: Path) -> None:
    from thaw.backbones.official_weights import fetch_weights

    with counted("fetch", "bytes") as progress:
        fetch_weights(weights, log.info, progress)


def _first_below(path: Path, folder: Path) -> Path | None:
    """The entry of `folder` that is `path` or contains it; None if it lies elsewhere."""
    first = Path(os.path.relpath(path, folder)).parts[:1]
    return folder / first[0] if first and first[0] != ".." else None


if __name__ == "__main__":
    stage(main)
