"""The stage `extract`: features of every image in the manifest that has none yet."""

from pathlib import Path

from tasks.paths import FEATURES, FEATURES_INDEX, MANIFEST
from tasks.progress import counted
from tasks.running import stage
from thaw.backbones import read_backbone
from thaw.extraction import extract
from thaw.features import FeatureStore, write_index
from thaw.manifest import read_manifest
from thaw.params import read_params

NETWORKS = Path(".thaw/networks")
"""Networks converted for an engine are kept here: no output, but this machine's own."""


def main() -> None:
    """Read the manifest and the backbone, bring `data/features/` up to date, write `data/features.json`."""
    params = read_params()
    with counted("extract", "images") as progress:
        extraction = extract(
            read_manifest(MANIFEST),
            Path(params.dataset.source),
            read_backbone(params.backbone),
            FeatureStore(FEATURES),
            params.extract,
            max_pixels=int(params.dataset.max_megapixels * 1e6),
            keep=NETWORKS,
            progress=progress,
        )
    write_index(extraction.index, FEATURES_INDEX)


if __name__ == "__main__":
    stage(main)
