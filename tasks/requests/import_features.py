"""The import of exported features into the cache. It is no stage: it only saves work of the next `extract`."""

from pathlib import Path
from typing import get_args

from tasks.project.local_state import CACHE_LOCK
from tasks.project.paths import MANIFEST
from thaw.backbones.backbone import read_backbone
from thaw.backbones.engines import Precision
from thaw.dataset.manifest import read_manifest
from thaw.features.extraction.extraction import cut_layers
from thaw.features.store.exchange import Imported, read_exchange
from thaw.features.store.store import FeatureStore
from thaw.foundation.files.shared_lock import adding
from thaw.kinds.views import expand_views
from thaw.params.values.reading import read_params


def import_features(file: Path, store: FeatureStore, *, dry_run: bool) -> Imported:
    """Check a file of `thaw cache export`, and write the features that the store lacks, unless it is a dry run.

    The next run of `extract` extracts some of them again, and refuses them if this machine computes other features.

    Raises:
        BadArtifact: see `thaw.features.store.exchange.read_exchange`.
    """
    params = read_params()
    decoding = read_manifest(MANIFEST).decoding if MANIFEST.exists() else None
    backbone = read_backbone(params.backbone, decoding)
    views = expand_views(params.extract.views, backbone.kind)
    wanted = params.extract.precision
    precisions: tuple[Precision, ...] = get_args(Precision) if wanted == "auto" else (wanted,)
    dtype = params.extract.dtype
    layers = {layer: precision for precision in precisions for layer in cut_layers(backbone, precision, dtype, views)}
    exchange = read_exchange(file, list(layers))
    new = exchange.missing_from(store)
    if not dry_run:
        stated = {
            "architecture": backbone.architecture,
            "pooling": backbone.pooling,
            "engine": "imported",
            "precision": layers[exchange.layer],
        }
        with adding(CACHE_LOCK):
            new.write(store, dtype=dtype, part_rows=params.extract.part_rows, stated=stated)
    return Imported(exchange.layer, len(exchange.digests), len(new.digests))
